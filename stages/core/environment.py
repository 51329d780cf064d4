"""What must be set before numpy is imported, here and in all that is started: `import stages` does it."""

import os

ENVIRONMENT = {
    # One thread a process: work is split by episode (`compute.jobs`), and more threads would only compete with that.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # The same instructions on every x86-64 processor since 2013, because other ones round differently.
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
os.environ.update(ENVIRONMENT)
