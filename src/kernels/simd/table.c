/* The kernels of this level as a table. */
#include "kernels/simd/simd.h"

const k_table LEVEL(table) = {
#define KERNEL(result, name, params, args) .name = LEVEL(name),
#include "dyt/kernels.def"
};
