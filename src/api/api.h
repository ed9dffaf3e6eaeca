/* api - what the files of the public interface share. Not a public header. */
#ifndef DYT_API_API_H
#define DYT_API_API_H

#include "dyt/dyt.h"
#include "dyt/err.h"

/* Makes the library ready to compute; any number of times. ST_USER: the environment asks for what there is not. */
st api_init(err *e);
/* Hands the sentences over; `to` may be NULL. */
dyt_status api_end(const err *from, dyt_error *to);

#endif
