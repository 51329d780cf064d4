"""What must be set before numpy is imported, here and in all that is started: `import stages` does it."""

import os
import sys
import warnings

ENVIRONMENT = {
    # One thread a process: work is split by episode (`compute.jobs`), and more threads would only compete with that.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # The same instructions on every x86-64 processor since 2013, because other ones round differently.
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
if "numpy" in sys.modules and any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
    late = "numpy was imported before stages: results may differ in their last bits (write `import stages` first)"
    warnings.warn(late, RuntimeWarning, stacklevel=2)
os.environ.update(ENVIRONMENT)
