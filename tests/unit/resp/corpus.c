/* corpus: what fuzzing of requests has found worth keeping, played again. */
#include "tests/fuzz/request_story.h"
#include <check.h>
#include <dirent.h>

#define CORPUS "tests/fuzz/corpus/request"

static size_t read_whole(const char *name, uint8_t *bytes, size_t room)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    size_t len = fread(bytes, 1, room, file);
    fclose(file);
    return len;
}

START_TEST(every_file_of_the_corpus_tells_one_story_however_cut)
{
    static uint8_t bytes[64 << 10];
    int files = 0;
    DIR *folder = opendir(CORPUS);
    ck_assert_msg(folder != NULL, "to be run from the top of the sources: no %s", CORPUS);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        size_t len = read_whole(entry->d_name, bytes, sizeof(bytes));
        ck_assert_msg(input_tells_one_story(bytes, len), "%s", entry->d_name);
        files++;
    }
    closedir(folder);
    ck_assert_int_ge(files, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("corpus");
    TCase *replay = tcase_create("replay");
    tcase_set_timeout(replay, 60);
    tcase_add_test(replay, every_file_of_the_corpus_tells_one_story_however_cut);
    suite_add_tcase(suite, replay);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
