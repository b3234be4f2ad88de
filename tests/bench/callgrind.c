/* callgrind: see callgrind.h. */
#include "callgrind.h"
#include "base/mem.h"
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names are told once, as "(12) name", and are "(12)" from then on. */
struct names {
    char **list; /* by number; NULL: not told yet */
    size_t count;
};

struct parser {
    struct callgrind *callgrind;
    struct names objects, files, functions;
    size_t object, file;
    int current;  /* in callgrind->costs; -1: before the first function */
    bool is_call; /* the next line is what a call has cost */
};

/* The number, whose name is kept when it is told. */
static size_t see_name(struct names *names, char *text)
{
    char *end;
    if (*text != '(')
        errx(1, "callgrind's file has a name of a form that is unknown: %s", text);
    size_t number = strtoul(text + 1, &end, 10);
    if (number >= names->count) {
        names->list = mem_realloc(names->list, 2 * (number + 1) * sizeof(*names->list));
        for (size_t i = names->count; i < 2 * (number + 1); i++)
            names->list[i] = NULL;
        names->count = 2 * (number + 1);
    }
    if (strncmp(end, ") ", 2) == 0 && names->list[number] == NULL)
        names->list[number] = mem_dup(str_of(end + 2));
    return number;
}

static void clear_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->list[i]);
    mem_free(names->list);
}

static const char *last_part(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    return slash != NULL ? slash + 1 : path;
}

static int find(const struct callgrind *callgrind, const char *function)
{
    for (int i = 0; i < callgrind->count; i++) {
        if (strcmp(callgrind->costs[i].function, function) == 0)
            return i;
    }
    return -1;
}

static void begin_function(struct parser *parser, char *text)
{
    struct callgrind *callgrind = parser->callgrind;
    size_t number = see_name(&parser->functions, text);
    const char *name = parser->functions.list[number];
    const char *where = parser->files.count > 0 ? parser->files.list[parser->file] : NULL;
    if ((where == NULL || strcmp(where, "???") == 0) && parser->objects.count > 0)
        where = parser->objects.list[parser->object];
    char *function = mem_printf("%s:%s", where != NULL ? last_part(where) : "?", name);
    parser->current = find(callgrind, function);
    if (parser->current >= 0) {
        mem_free(function);
        return;
    }
    if (callgrind->count == callgrind->room) {
        callgrind->room = 2 * callgrind->room + 64;
        callgrind->costs =
            mem_realloc(callgrind->costs, (size_t)callgrind->room * sizeof(*callgrind->costs));
    }
    parser->current = callgrind->count++;
    callgrind->costs[parser->current] = (struct callgrind_cost){.function = function};
}

static void add_cost(struct parser *parser, const char *line)
{
    const char *blank = strchr(line, ' ');
    if (!parser->is_call && blank != NULL && parser->current >= 0) {
        long long instructions = strtoll(blank, NULL, 10);
        parser->callgrind->costs[parser->current].instructions += instructions;
        parser->callgrind->total += instructions;
    }
    parser->is_call = false;
}

/* If the line is "<word>=...", what stands behind. */
static char *after(char *line, const char *word)
{
    size_t len = strlen(word);
    return strncmp(line, word, len) == 0 && line[len] == '=' ? line + len + 1 : NULL;
}

static void read_line(struct parser *parser, char *line)
{
    static const char *const file_words[] = {"fi", "fe", "cfi", "cfl"};
    char *text;
    if (strchr("0123456789+-*", line[0]) != NULL)
        add_cost(parser, line);
    else if ((text = after(line, "ob")) != NULL)
        parser->object = see_name(&parser->objects, text);
    else if ((text = after(line, "cob")) != NULL)
        see_name(&parser->objects, text);
    else if ((text = after(line, "fl")) != NULL)
        parser->file = see_name(&parser->files, text);
    else if ((text = after(line, "fn")) != NULL)
        begin_function(parser, text);
    else if ((text = after(line, "cfn")) != NULL)
        see_name(&parser->functions, text);
    else if (after(line, "calls") != NULL)
        parser->is_call = true;
    for (size_t i = 0; i < sizeof(file_words) / sizeof(file_words[0]); i++) {
        if ((text = after(line, file_words[i])) != NULL)
            see_name(&parser->files, text);
    }
}

void callgrind_read(struct callgrind *callgrind, const char *path)
{
    struct parser parser = {.callgrind = callgrind, .current = -1};
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    FILE *in = fopen(path, "re");
    *callgrind = (struct callgrind){0};
    if (in == NULL)
        err(1, "%s", path);
    while ((len = getline(&line, &room, in)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (*line != '\0')
            read_line(&parser, line);
    }
    free(line);
    fclose(in);
    clear_names(&parser.objects);
    clear_names(&parser.files);
    clear_names(&parser.functions);
    if (callgrind->total == 0)
        errx(1, "%s: no costs in it", path);
}

void callgrind_clear(struct callgrind *callgrind)
{
    for (int i = 0; i < callgrind->count; i++)
        mem_free(callgrind->costs[i].function);
    mem_free(callgrind->costs);
}

long long callgrind_of(const struct callgrind *callgrind, const char *function)
{
    int found = find(callgrind, function);
    return found >= 0 ? callgrind->costs[found].instructions : 0;
}
