/* docs: writes what is generated of the documentation, out of the tables of the daemon (build time
 * only; `make docs`). The reference of commands and settings stands in the README between
 * <!-- commands --> and <!-- /commands -->, <!-- settings --> and <!-- /settings -->.
 *
 *   docs README.md           rewrites both references in place
 *   docs --conf FILE         writes the sample of the configuration
 *   docs --check README.md, docs --check-conf FILE   only tell (exit 1) when it is out of date
 */
#include "base/mem.h"
#include "commands/options.h"
#include "commands/table.h"
#include "config/keys.h"
#include "report/fields.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what, const char *path, const char *why)
{
    fprintf(stderr, "docs: %s %s: %s\n", what, path, why);
    exit(1);
}

/* The whole file; empty when there is none. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL, buffer[4096];
    size_t size = 0, got;
    FILE *all = open_memstream(&text, &size);

    if (all == NULL || (file == NULL && errno != ENOENT))
        fail("cannot read", path, strerror(errno));
    while (file != NULL && (got = fread(buffer, 1, sizeof(buffer), file)) > 0)
        fwrite(buffer, 1, got, all);
    if (file != NULL)
        fclose(file);
    fclose(all);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
        fail("cannot write", path, strerror(errno));
}

/* --- numbers -------------------------------------------------------------------------------------
 */

static void write_number(FILE *out, const char *name, const char *unit, const char *sentence)
{
    fprintf(out, "| `%s` | %s%s%s%s |\n", name, sentence, unit[0] != '\0' ? " (" : "", unit,
            unit[0] != '\0' ? ")" : "");
}

static void write_numbers(FILE *out)
{
    const char *section = "";

    for (const struct field *field = field_table; field->name != NULL; field++) {
        if (strcmp(section, field->section) != 0)
            fprintf(out, "%sINFO %s:\n\n| name | meaning |\n| --- | --- |\n",
                    section[0] != '\0' ? "\n" : "", field->section);
        section = field->section;
        write_number(out, field->name, field->unit, field->sentence);
    }
    fputs(
        "\nINFO pools has besides a line for each pool, `pool_NAME:mode=exclusive,...`, since the "
        "start or CONFIG RESETSTAT:\n\n| name | meaning |\n| --- | --- |\n",
        out);
    for (const struct pool_field *field = pool_field_table; field->name != NULL; field++)
        write_number(out, field->name, field->unit, field->sentence);
    fputs("\nINFO commandstats has a line for each command that was asked for, "
          "`cmdstat_malloc:calls=...,usec=...,usec_per_call=...,rejected_calls=...,failed_calls=..."
          "`: "
          "usec is the time from the request to its whole reply, rejected ones were wrong as "
          "they stood, failed ones were answered by an error.\n",
          out);
}

/* --- commands ------------------------------------------------------------------------------------
 */

static void write_row(FILE *out, const struct command *row)
{
    char syntax[COMMAND_SYNTAX_MAX];

    command_print_syntax(row, syntax, sizeof(syntax));
    fprintf(out, "- `%s`: %s\n  *Reply:* %s\n", syntax, row->summary, row->reply);
}

static void write_group(FILE *out, enum command_group group)
{
    const char *name = command_group_name(group);

    fprintf(out, "### %c%s\n\n", name[0] - 'a' + 'A', name + 1);
    for (const struct command *row = command_table; row->name != NULL; row++) {
        if (row->group != group)
            continue;
        if (row->run != NULL)
            write_row(out, row);
        for (size_t i = 0; i < command_count_rows(row->subcommands); i++)
            write_row(out, &row->subcommands[i]);
    }
    fputc('\n', out);
}

static void write_commands(FILE *out)
{
    for (unsigned group = 0; group < GROUP_COUNT; group++)
        write_group(out, (enum command_group)group);
    fputs("### Options\n\n| option | meaning |\n| --- | --- |\n", out);
    for (const struct option *option = option_table; option->word != NULL; option++)
        fprintf(out, "| `%s%s%s` | %s |\n", option->word, option->value != NULL ? " " : "",
                option->value != NULL ? option->value : "", option->sentence);
    fputs("\n### Numbers\n\n", out);
    write_numbers(out);
}

/* --- settings ------------------------------------------------------------------------------------
 */

static void write_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void write_key(FILE *out, const struct key *key)
{
    char allowed[256];

    key_print_allowed(key, allowed, sizeof(allowed));
    fprintf(out, "| `%s` | ", key->name);
    if (key->initial[0] != '\0')
        fprintf(out, "`%s`", key->initial);
    fputs(" | ", out);
    write_cell(out, key->sentence);
    fputs(" (", out);
    write_cell(out, allowed);
    fprintf(out, "%s) |\n", key_when(key));
}

static void write_settings(FILE *out)
{
    enum key_section section = KEY_SECTIONS;

    for (const struct key *key = key_next(NULL); key != NULL; key = key_next(key)) {
        if (key->section != section) {
            fprintf(out, "%s`[%s%s]`\n\n| key | default | meaning |\n| --- | --- | --- |\n",
                    section == KEY_SECTIONS ? "" : "\n", key_section_name(key->section),
                    key_is_named(key->section) ? ":NAME" : "");
            section = key->section;
        }
        write_key(out, key);
    }
}

/* --- files ---------------------------------------------------------------------------------------
 */

/* Copies text with what stands between the two marks of `word` replaced by what `write` writes. */
static char *replace_part(const char *path, const char *text, const char *word,
                          void (*write)(FILE *out))
{
    char begin_mark[64], end_mark[64], *result = NULL;
    size_t size = 0;

    snprintf(begin_mark, sizeof(begin_mark), "<!-- %s -->\n", word);
    snprintf(end_mark, sizeof(end_mark), "<!-- /%s -->", word);
    const char *begin = strstr(text, begin_mark);
    const char *end = begin == NULL ? NULL : strstr(begin, end_mark);
    if (end == NULL)
        fail("no marks for", word, path);
    FILE *out = open_memstream(&result, &size);
    if (out == NULL)
        fail("cannot write", path, strerror(errno));
    fwrite(text, 1, (size_t)(begin - text) + strlen(begin_mark), out);
    write(out);
    fputs(end, out);
    fclose(out);
    return result;
}

static char *readme_of(const char *path, const char *old)
{
    char *half = replace_part(path, old, "commands", write_commands);
    char *whole = replace_part(path, half, "settings", write_settings);
    free(half);
    return whole;
}

static char *sample_of(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL || !keys_write_sample(out) || fclose(out) != 0)
        fail("cannot write", "the sample", strerror(errno));
    return text;
}

int main(int argc, char **argv)
{
    const char *mode = argc == 3 ? argv[1] : "";
    bool is_check = strncmp(mode, "--check", 7) == 0;
    bool is_conf = strcmp(mode, "--conf") == 0 || strcmp(mode, "--check-conf") == 0;

    if (argc < 2 || argc > 3 || (argc == 3 && !is_conf && strcmp(mode, "--check") != 0)) {
        fputs("usage: docs [--check] README.md | docs --conf FILE | docs --check-conf FILE\n",
              stderr);
        return 2;
    }
    const char *path = argv[argc - 1];
    char *old = read_file(path);
    char *text = is_conf ? sample_of() : readme_of(path, old);
    bool is_same = strcmp(old, text) == 0;
    if (is_check && !is_same)
        fprintf(stderr, "docs: %s is out of date: make docs\n", path);
    else if (!is_same)
        write_file(path, text);
    free(old);
    free(text);
    return is_check && !is_same;
}
