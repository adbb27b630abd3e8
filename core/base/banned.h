/* core/base/banned.h -- forced in front of every C file by the build (-include): naming one of
 * these functions is a compile error. Each is easy to misuse and has a better name in our code. */
#ifndef ML_BASE_BANNED_H
#define ML_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok strdup gets
#pragma GCC poison atoi atol atof rand srand system
#pragma GCC poison localtime gmtime ctime asctime

#endif
