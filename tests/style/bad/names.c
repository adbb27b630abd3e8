/* Visible outside its library under a name that isn't the project's. */
int frobnicate(void);
__attribute__((visibility("default"))) int frobnicate(void) { return 1; }
