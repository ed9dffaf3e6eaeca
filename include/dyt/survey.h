/* survey - what a data set holds, before anything is trained on it: pictures a class and split, mean and standard deviation
 * of the training pixels, and what is odd about it.
 *
 *   survey s;
 *   survey_take(&s, &cfg, &data, pool);
 *   str out = {0};
 *   survey_write(&s, &out);   or   survey_write_json(&s, "", &out);
 *   survey_free(&s);
 */
#ifndef DYT_SURVEY_H
#define DYT_SURVEY_H

#include "dyt/data.h"
#include "dyt/work.h"

enum { SURVEY_SPLITS = 3, SURVEY_WARNINGS_MAX = 8 };

typedef struct survey {
  const config *cfg;
  const data_set *data;
  const data_split *split[SURVEY_SPLITS];                     /* train, val, test */
  int64_t *count;                                             /* [classes][SURVEY_SPLITS] */
  double mean[CONFIG_CHANNELS_MAX], std[CONFIG_CHANNELS_MAX]; /* of the training split, pixels from 0 to 1 */
  char *warning[SURVEY_WARNINGS_MAX];
  int warnings;
} survey;

/* Counts and measures every training picture, not augmented. The config and the data set must outlive the survey. */
void survey_take(survey *s, const config *c, const data_set *d, work_pool *pool);
void survey_free(survey *s);

/* A table for people; the warnings are not in it. */
void survey_write(const survey *s, str *out);
/* "augmentation {"hflip": 0.5}", or "augmentation none": keys of data.augment that do not have their defaults. */
void survey_write_augmentation(const config *c, str *out);
/* All as one JSON object; `more` holds further members, each after ", ". */
void survey_write_json(const survey *s, const char *more, str *out);

#endif
