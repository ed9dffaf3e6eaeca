/* real - the number type of tensors, gradients and parameters.
 *
 * Float in the product; the same sources build with double (`make f64`) so that gradients can be differenced
 * to 1e-9 and compared with another framework's float64. Statistics, losses and norms are double in both.
 * Nothing else may depend on the choice except the kernels. */
#ifndef DYT_REAL_H
#define DYT_REAL_H

#ifdef DYT_F64
typedef double real;
#define REAL_NAME   "F64" /* safetensors' name of the type */
#define REAL_EPS    2.220446049250313e-16
#define REAL_IS_F64 1
#else
typedef float real;
#define REAL_NAME   "F32"
#define REAL_EPS    1.1920929e-7
#define REAL_IS_F64 0
#endif

#endif
