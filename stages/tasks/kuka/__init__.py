"""The KUKA LBR iiwa 7 R800 arm: its kinematics and its simulation."""
