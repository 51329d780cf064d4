"""From numbers and recorded episodes to a page and a summary; nothing here changes a result."""
