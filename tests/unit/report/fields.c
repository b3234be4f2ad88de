/* fields: every row is whole and can be asked; counters go back to 0, gauges do not. */
#include "report/fields.h"
#include "base/mem.h"
#include "report/slowlog.h"
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static struct daemon daemon_of_test;

bool upstream_call(struct upstream *up, const struct call *call)
{
    (void)up;
    (void)call;
    return false;
}

int64_t upstream_away_ms(const struct upstream *up)
{
    (void)up;
    return 5;
}

const char *upstream_trouble(const struct upstream *up)
{
    (void)up;
    return "refused";
}

void upstream_listen(struct upstream *up, struct upstream_listener *listener)
{
    (void)up;
    (void)listener;
}

void upstream_forget(struct upstream *up, struct upstream_listener *listener)
{
    (void)up;
    (void)listener;
}

void upstream_hear(struct upstream *up, struct hearing *hearing)
{
    (void)up;
    (void)hearing;
}

void upstream_unhear(struct upstream *up, struct hearing *hearing)
{
    (void)up;
    (void)hearing;
}

uint64_t upstream_servers(const struct upstream *up)
{
    (void)up;
    return 1;
}

bool upstream_hears(const struct upstream *up)
{
    (void)up;
    return false;
}

void upstream_stats(const struct upstream *up, struct upstream_stats *out)
{
    (void)up;
    *out = (struct upstream_stats){.links = 4,
                                   .links_ready = 3,
                                   .calls = 2,
                                   .refused = 7,
                                   .lost = 8,
                                   .connects = 9,
                                   .scripts_loaded = 10,
                                   .in_flight = 11,
                                   .last_latency_us = 12,
                                   .embedded_pid = 13,
                                   .embedded_restarts = 14};
    snprintf(out->where, sizeof(out->where), "unix:/r");
    snprintf(out->version, sizeof(out->version), "7.0.15");
}

static int64_t read_clock(void *arg)
{
    (void)arg;
    return INT64_C(200000) * 1000000;
}

static void start(void)
{
    char program[] = "rallocd", *argv[] = {program, NULL}, *environment[] = {NULL};
    struct daemon *daemon = &daemon_of_test;
    enum config_action action;
    struct err err;

    ck_assert(config_load(&daemon->config, 1, argv, environment, NULL, &action, &err));
    daemon->clock = (struct clock){read_clock, read_clock, NULL};
    log_init(&daemon->log, &daemon->clock);
    rand_init(&daemon->rand);
    daemon->slowlog = slowlog_new();
    daemon->config_file = mem_dup(STR("/etc/x.conf"));
    snprintf(daemon->id, sizeof(daemon->id), "the-id");
    batches_init(&daemon->batches, NULL, &daemon->clock, &daemon->log, str_of(daemon->id));
    waiters_init(&daemon->waiters, &daemon->batches, &daemon->rand);
    pools_init(&daemon->pools, &daemon->batches, &daemon->waiters, &daemon->config, &daemon->clock,
               &daemon->rand, &daemon->log);
}

static void stop(void)
{
    pools_clear(&daemon_of_test.pools);
    waiters_clear(&daemon_of_test.waiters);
    batches_clear(&daemon_of_test.batches);
    slowlog_free(daemon_of_test.slowlog);
    mem_free(daemon_of_test.config_file);
    config_clear(&daemon_of_test.config);
}

static bool is_section(const char *name)
{
    for (const char *const *section = field_sections; *section != NULL; section++) {
        if (strcmp(*section, name) == 0)
            return true;
    }
    return false;
}

static void check_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        ck_assert_msg(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_', "%s",
                      name);
}

START_TEST(every_row_is_whole_and_its_name_is_given_once)
{
    for (const struct field *field = field_table; field->name != NULL; field++) {
        check_name(field->name);
        ck_assert_msg(is_section(field->section), "%s", field->name);
        ck_assert_int_eq(field->sentence[strlen(field->sentence) - 1], '.');
        ck_assert_ptr_nonnull(field->unit);
        ck_assert_int_eq(field->text != NULL, field->kind == FIELD_TEXT);
        ck_assert_int_eq(field->number != NULL, field->kind != FIELD_TEXT);
        for (const struct field *other = field_table; other < field; other++)
            ck_assert_str_ne(other->name, field->name);
    }
    for (const struct pool_field *field = pool_field_table; field->name != NULL; field++) {
        check_name(field->name);
        ck_assert_int_eq(field->text != NULL, field->kind == FIELD_TEXT);
        ck_assert_int_eq(field->number != NULL, field->kind != FIELD_TEXT);
    }
}
END_TEST

START_TEST(every_row_can_be_asked_and_fits_where_it_is_put)
{
    for (const struct field *field = field_table; field->name != NULL; field++) {
        char text[64];
        memset(text, 'x', sizeof(text));
        if (field->kind != FIELD_TEXT) {
            ck_assert_msg(field->number(&daemon_of_test) >= 0, "%s", field->name);
            continue;
        }
        field->text(&daemon_of_test, text, 8);
        ck_assert_uint_lt(strnlen(text, sizeof(text)), 8);
        ck_assert_int_eq(text[8], 'x');
    }
}
END_TEST

static int64_t number_of(const char *name)
{
    for (const struct field *field = field_table; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0)
            return field->number(&daemon_of_test);
    }
    ck_abort_msg("no field %s", name);
    return -1;
}

static void has_text(const char *name, const char *wanted)
{
    char text[512] = "";
    for (const struct field *field = field_table; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0)
            field->text(&daemon_of_test, text, sizeof(text));
    }
    ck_assert_str_eq(text, wanted);
}

START_TEST(numbers_come_from_where_they_are_kept)
{
    struct daemon *daemon = &daemon_of_test;
    daemon->stats = (struct daemon_stats){.connections_received = 1,
                                          .connections_rejected = 2,
                                          .commands_processed = 3,
                                          .errors_replied = 4,
                                          .net_input_bytes = 5,
                                          .net_output_bytes = 6,
                                          .protocol_errors = 7,
                                          .output_limit_closes = 8,
                                          .idle_closes = 9,
                                          .write_timeout_closes = 10};
    daemon->gauges =
        (struct daemon_gauges){.clients = 11, .monitors = 12, .open_turns = 13, .max_clients = 14};
    daemon->batches.batches = 4;
    daemon->batches.batched_ops = 10;

    ck_assert_int_eq(number_of("total_connections_received"), 1);
    ck_assert_int_eq(number_of("rejected_connections"), 2);
    ck_assert_int_eq(number_of("total_commands_processed"), 3);
    ck_assert_int_eq(number_of("total_error_replies"), 4);
    ck_assert_int_eq(number_of("total_net_input_bytes"), 5);
    ck_assert_int_eq(number_of("total_net_output_bytes"), 6);
    ck_assert_int_eq(number_of("protocol_errors"), 7);
    ck_assert_int_eq(number_of("client_output_buffer_limit_disconnections"), 8);
    ck_assert_int_eq(number_of("idle_disconnections"), 9);
    ck_assert_int_eq(number_of("write_timeout_disconnections"), 10);
    ck_assert_int_eq(number_of("connected_clients"), 11);
    ck_assert_int_eq(number_of("monitor_clients"), 12);
    ck_assert_int_eq(number_of("pending_requests"), 13);
    ck_assert_int_eq(number_of("maxclients"), 14);
    ck_assert_int_eq(number_of("uptime_in_seconds"), 200000);
    ck_assert_int_eq(number_of("uptime_in_days"), 2);
    ck_assert_int_eq(number_of("redis_away_ms"), 5);
    ck_assert_int_eq(number_of("redis_links"), 4);
    ck_assert_int_eq(number_of("redis_links_ready"), 3);
    ck_assert_int_eq(number_of("redis_calls"), 2);
    ck_assert_int_eq(number_of("redis_lost_calls"), 8);
    ck_assert_int_eq(number_of("redis_latency_us"), 12);
    has_text("batched_operations_average", "2.50");
    has_text("redis_where", "unix:/r");
    has_text("redis_trouble", "refused");
    has_text("run_id", "the-id");
    has_text("config_file", "/etc/x.conf");
    has_text("listen", "127.0.0.1:7411");
    ck_assert_int_gt(number_of("used_memory_rss"), 0);
}
END_TEST

START_TEST(a_reset_leaves_gauges_alone)
{
    struct daemon *daemon = &daemon_of_test;
    struct err err;
    struct pool *pool = pools_get(&daemon->pools, STR("p"), &err);

    ck_assert_ptr_nonnull(pool);
    pool->counters.mallocs = 5;
    pool->total = 6;
    daemon->stats.protocol_errors = 7;
    daemon->gauges.clients = 8;
    daemon->batches.calls = daemon->batches.recalls = 9;
    fields_reset(daemon);
    ck_assert_uint_eq(pool->counters.mallocs, 0);
    ck_assert_int_eq(pool->total, 6);
    ck_assert_int_eq(number_of("protocol_errors"), 0);
    ck_assert_int_eq(number_of("connected_clients"), 8);
    ck_assert_int_eq(number_of("operation_calls"), 0);
    ck_assert_int_eq(number_of("recalled_batches"), 0);
    ck_assert_int_eq(number_of("locks_granted"), 0);
    ck_assert_int_eq(number_of("pools_known"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fields");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, start, stop);
    tcase_add_test(all, every_row_is_whole_and_its_name_is_given_once);
    tcase_add_test(all, every_row_can_be_asked_and_fits_where_it_is_put);
    tcase_add_test(all, numbers_come_from_where_they_are_kept);
    tcase_add_test(all, a_reset_leaves_gauges_alone);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
