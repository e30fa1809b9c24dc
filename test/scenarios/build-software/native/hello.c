#include <stdio.h>

int main(void) {
  printf("hello from scratch, version %s\n", VERSION);
  return 0;
}
