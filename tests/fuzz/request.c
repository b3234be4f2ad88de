/* fuzz request: whatever the bytes and however they are cut, the parser says the same, and stays
 * within its bounds. libFuzzer calls it: see `make fuzz`.
 * Knows: resp/request. */
#include "tests/fuzz/request_story.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!input_tells_one_story(data, size))
        abort();
    return 0;
}
