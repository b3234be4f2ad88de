/* upstream: calls to a real redis-server, and what becomes of them when it is killed, stopped,
 * full, busy or will not have us. */
#include "tests/unit/redis/rig.h"

/* --- calls ---------------------------------------------------------------------------------------
 */

START_TEST(commands_and_scripts_are_answered)
{
    struct rig rig;
    struct seen seen = {0};
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "ECHO", "hello");
    ck_assert_int_eq(seen.fate, CALL_ANSWERED);
    ck_assert_str_eq(seen.text, "hello");
    seen = (struct seen){0};
    ck_assert(rig_extend(&rig, &seen, "a"));
    ck_assert_int_eq(seen.count, 0); /* never before the call has returned */
    rig_until(&rig, seen.count == 1);
    ck_assert_int_eq(seen.fate, CALL_ANSWERED);
    ck_assert_int_eq(seen.number, 1);
    ck_assert(rig_stats(&rig).version[0] >= '1' && rig_stats(&rig).version[0] <= '9');
    rig_clear(&rig);
}
END_TEST

START_TEST(an_error_of_the_script_is_an_answer)
{
    struct rig rig;
    struct seen seen = {0};
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "SET", "t|p|pool", "not a hash");
    seen = (struct seen){0};
    ck_assert(rig_extend(&rig, &seen, "a"));
    rig_until(&rig, seen.count == 1);
    ck_assert_int_eq(seen.fate, CALL_ANSWERED);
    ck_assert_int_eq(strncmp(seen.text, "WRONGTYPE", 9), 0);
    rig_clear(&rig);
}
END_TEST

START_TEST(no_call_is_taken_before_a_link_is_ready_and_listeners_hear_of_it)
{
    struct rig rig;
    struct seen seen = {0};
    rig_init(&rig);
    rig_start(&rig);
    ck_assert(!rig_call(&rig, &seen, RIG_WORDS("PING")));
    ck_assert_int_ge(upstream_away_ms(rig.upstream), 1);
    rig_until(&rig, strcmp(upstream_trouble(rig.upstream), "") != 0);
    ck_assert_int_eq(rig.ready_count, 0);
    rig_serve(&rig, NULL);
    rig_until(&rig, rig.ready_count == 1);
    ck_assert_int_eq(upstream_away_ms(rig.upstream), 0);
    rig_ask(&rig, &seen, "PING");
    ck_assert_str_eq(seen.text, "PONG");
    rig_all_ready(&rig);
    ck_assert_int_eq(rig.ready_count, 1);
    rig_clear(&rig);
}
END_TEST

enum { MANY = 20000 };

START_TEST(thousands_of_calls_at_once_get_each_its_own_answer)
{
    struct rig rig;
    static struct seen seen[MANY];
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    for (int i = 0; i < MANY; i++) {
        char number[16];
        snprintf(number, sizeof(number), "%d", i);
        rig_send(&rig, &seen[i], "ECHO", number);
    }
    ck_assert_uint_eq(rig_stats(&rig).in_flight, MANY);
    rig_until(&rig, rig_stats(&rig).in_flight == 0);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(seen[i].count, 1);
        ck_assert_int_eq(seen[i].number, i);
    }
    ck_assert_uint_eq(rig_stats(&rig).calls, MANY);
    ck_assert_int_gt(rig_stats(&rig).last_latency_us, 0);
    rig_clear(&rig);
}
END_TEST

START_TEST(calls_spread_over_all_links)
{
    struct rig rig;
    struct seen seen[8] = {0};
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    /* Each blocks its connection, so the next has to take another. */
    for (int i = 0; i < 4; i++)
        rig_send(&rig, &seen[i], "BLPOP", "nothing", "0");
    rig_until(&rig, rig_info_has(&rig, "clients", "blocked_clients:4"));
    rig_clear(&rig);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(seen[i].fate, CALL_LOST);
}
END_TEST

START_TEST(large_arguments_and_replies_pass)
{
    struct rig rig;
    struct seen seen = {0};
    size_t size = (size_t)20 * 1024 * 1024;
    char *large = mem_alloc(size + 1);
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    memset(large, 'x', size);
    large[size] = '\0';
    rig_ask(&rig, &seen, "ECHO", large);
    ck_assert_int_eq(seen.fate, CALL_ANSWERED);
    ck_assert_uint_eq(seen.len, size);
    mem_free(large);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_full_upstream_takes_no_call_and_tells_when_it_has_room)
{
    struct rig rig;
    struct seen seen[11] = {0};
    rig_init(&rig);
    rig.config.links = 1;
    rig.config.max_queued = 10;
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_until(&rig, rig.ready_count == 1);
    for (int i = 0; i < 10; i++)
        rig_send(&rig, &seen[i], "PING");
    ck_assert(!rig_call(&rig, &seen[10], RIG_WORDS("PING")));
    ck_assert_int_eq(upstream_away_ms(rig.upstream), 0);
    rig_until(&rig, rig.ready_count == 2);
    ck_assert_int_eq(seen[10].count, 0);
    rig_ask(&rig, &seen[10], "PING");
    rig_clear(&rig);
}
END_TEST

/* --- scripts
 * -------------------------------------------------------------------------------------- */

START_TEST(scripts_that_redis_forgot_are_loaded_and_sent_again)
{
    struct rig rig;
    static struct seen seen[300];
    char done[200];
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    for (int round = 0; round < 3; round++) {
        uint64_t loaded = rig_stats(&rig).scripts_loaded;
        rig_do(&rig, done, "SCRIPT FLUSH");
        for (int i = 0; i < 300; i++) {
            char name[32];
            seen[i] = (struct seen){0};
            snprintf(name, sizeof(name), "r%d-%d", round, i);
            ck_assert(rig_extend(&rig, &seen[i], name));
        }
        rig_until(&rig, rig_stats(&rig).in_flight == 0);
        for (int i = 0; i < 300; i++) {
            ck_assert_int_eq(seen[i].count, 1);
            ck_assert_int_eq(seen[i].fate, CALL_ANSWERED);
            ck_assert_int_eq(seen[i].number, 1);
        }
        /* once a link, not once a call */
        ck_assert_uint_ge(rig_stats(&rig).scripts_loaded, loaded + 1);
        ck_assert_uint_le(rig_stats(&rig).scripts_loaded, loaded + 4);
    }
    rig_do(&rig, done, "HLEN t|p|pool");
    ck_assert_str_eq(done, "900");
    rig_clear(&rig);
}
END_TEST

START_TEST(a_script_that_may_not_be_loaded_is_refused_not_tried_for_ever)
{
    struct rig rig;
    struct seen seen = {0};
    char done[200];
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_do(&rig, done, "ACL SETUSER default -script|load");
    rig_start(&rig);
    rig_all_ready(&rig);
    ck_assert(rig_extend(&rig, &seen, "a"));
    rig_until(&rig, seen.count == 1);
    ck_assert_int_eq(seen.fate, CALL_REFUSED);
    ck_assert_int_eq(strncmp(seen.text, "NOSCRIPT", 8), 0);
    ck_assert(rig_log_has(&rig, "script-refused"));
    rig_clear(&rig);
}
END_TEST

/* --- Redis away
 * ----------------------------------------------------------------------------------- */

START_TEST(calls_in_flight_are_lost_once_when_redis_is_killed_and_it_comes_back)
{
    struct rig rig;
    struct seen seen[8] = {0}, after = {0};
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    for (int i = 0; i < 8; i++)
        rig_send(&rig, &seen[i], "BLPOP", "nothing", "0");
    rig_until(&rig, rig_info_has(&rig, "clients", "blocked_clients:4"));
    rig_kill(&rig, SIGKILL);
    rig_until(&rig, rig_stats(&rig).links_ready == 0);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(seen[i].count, 1);
        ck_assert_int_eq(seen[i].fate, CALL_LOST);
    }
    ck_assert_int_ge(upstream_away_ms(rig.upstream), 1);
    ck_assert(!rig_call(&rig, &after, RIG_WORDS("PING")));
    ck_assert_uint_eq(rig_stats(&rig).lost, 8);
    rig_until(&rig, strstr(upstream_trouble(rig.upstream), "refused") != NULL ||
                        strstr(upstream_trouble(rig.upstream), "No such file") != NULL);
    int ready_count = rig.ready_count;
    rig_serve(&rig, NULL);
    rig_until(&rig, rig.ready_count == ready_count + 1);
    rig_ask(&rig, &after, "PING");
    ck_assert_str_eq(after.text, "PONG");
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(seen[i].count, 1);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_hung_redis_costs_its_calls_at_the_deadline_and_is_used_again_when_it_goes_on)
{
    struct rig rig;
    struct seen seen = {0}, early = {0}, after = {0};
    rig_init(&rig);
    rig.config.reply_timeout_ms = rig_short_ms();
    rig.config.connect_timeout_ms = rig_short_ms();
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &early, "PING");
    rig_kill(&rig, SIGSTOP);
    int64_t start_ms = clock_ms(&rig.clock);
    rig_send(&rig, &seen, "PING");
    rig_until(&rig, seen.count == 1);
    ck_assert_int_eq(seen.fate, CALL_LOST);
    ck_assert_int_ge(clock_ms(&rig.clock) - start_ms, rig_short_ms());
    rig_until(&rig, upstream_away_ms(rig.upstream) > 0);
    ck_assert_ptr_nonnull(strstr(upstream_trouble(rig.upstream), "no reply within"));
    rig_kill(&rig, SIGCONT);
    rig_all_ready(&rig);
    rig_ask(&rig, &after, "PING");
    ck_assert_str_eq(after.text, "PONG");
    ck_assert_int_eq(seen.count, 1);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_call_that_touches_much_has_more_time_and_takes_none_from_those_behind_it)
{
    struct rig rig;
    struct seen heavy = {0}, behind = {0};
    const struct str ping = STR("PING");
    struct call call = {.args = &ping, .arg_count = 1, .done = rig_done, .arg = &heavy};
    rig_init(&rig);
    rig.config.reply_timeout_ms = rig_short_ms();
    rig.config.links = 1;
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_kill(&rig, SIGSTOP);
    int64_t start_ms = clock_ms(&rig.clock);
    call.weight = 1000000; /* 50 s more */
    ck_assert(upstream_call(rig.upstream, &call));
    rig_send(&rig, &behind, "PING");
    rig_until(&rig, clock_ms(&rig.clock) - start_ms > 3 * rig_short_ms());
    ck_assert_int_eq(heavy.count, 0);
    rig_kill(&rig, SIGCONT);
    rig_until(&rig, heavy.count == 1 && behind.count == 1);
    ck_assert_int_eq(heavy.fate, CALL_ANSWERED);
    ck_assert_int_eq(behind.fate, CALL_ANSWERED);
    ck_assert_uint_eq(rig_stats(&rig).connects, 1);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_hung_redis_is_noticed_without_any_call)
{
    struct rig rig;
    rig_init(&rig);
    rig.config.reply_timeout_ms = rig_short_ms();
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_kill(&rig, SIGSTOP);
    rig_until(&rig, upstream_away_ms(rig.upstream) > 0);
    rig_kill(&rig, SIGCONT);
    rig_all_ready(&rig);
    rig_clear(&rig);
}
END_TEST

START_TEST(an_idle_link_stays_when_redis_is_well)
{
    struct rig rig;
    struct seen seen = {0};
    rig_init(&rig);
    rig.config.reply_timeout_ms = rig_short_ms();
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    int64_t start_ms = clock_ms(&rig.clock);
    rig_until(&rig, clock_ms(&rig.clock) - start_ms > 3 * rig_short_ms());
    ck_assert_uint_eq(rig_stats(&rig).connects, 4);
    rig_ask(&rig, &seen, "PING");
    rig_clear(&rig);
}
END_TEST

START_TEST(answers_that_wait_unread_after_a_standstill_of_ours_are_answers)
{
    struct rig rig;
    struct seen seen = {0};
    char done[200];
    rig_init(&rig);
    rig.config.reply_timeout_ms = rig_short_ms();
    rig.config.links = 1;
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_send(&rig, &seen, "BLPOP", "list", "0");
    rig_until(&rig, rig_info_has(&rig, "clients", "blocked_clients:1"));
    /* The answer comes while our loop stands still, beyond the deadline. */
    rig_do(&rig, done, "RPUSH list x");
    int64_t start_ms = clock_ms(&rig.clock);
    while (clock_ms(&rig.clock) - start_ms < 2 * rig_short_ms())
        rig_do(&rig, done, "PING");
    rig_until(&rig, seen.count == 1);
    ck_assert_int_eq(seen.fate, CALL_ANSWERED);
    ck_assert_uint_eq(rig_stats(&rig).connects, 1);
    rig_clear(&rig);
}
END_TEST

START_TEST(stopping_loses_the_calls_in_flight_once_and_tells_when_it_is_done)
{
    struct rig rig;
    struct seen seen[6] = {0};
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    for (int i = 0; i < 6; i++)
        rig_send(&rig, &seen[i], "BLPOP", "nothing", "0");
    rig_until(&rig, rig_info_has(&rig, "clients", "blocked_clients:4"));
    upstream_stop(rig.upstream, 1000, rig_stopped, &rig);
    ck_assert(!rig.has_stopped);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(seen[i].count, 1);
        ck_assert_int_eq(seen[i].fate, CALL_LOST);
    }
    ck_assert(!rig_call(&rig, &seen[0], RIG_WORDS("PING")));
    rig_until(&rig, rig.has_stopped);
    upstream_forget(rig.upstream, &rig.listener);
    upstream_free(rig.upstream);
    rig.upstream = NULL;
    rig_clear(&rig);
}
END_TEST

struct stopper {
    struct rig *rig;
    int count;
};

static void stop_in_callback(void *arg, enum call_fate fate, const struct answer *answer)
{
    struct stopper *stopper = arg;
    (void)fate, (void)answer;
    if (stopper->count++ == 0)
        upstream_stop(stopper->rig->upstream, 1000, rig_stopped, stopper->rig);
}

START_TEST(a_callback_may_stop_the_upstream)
{
    struct rig rig;
    const struct str ping[] = {STR("PING")};
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    struct stopper stopper = {.rig = &rig};
    const struct call call = {
        .args = ping, .arg_count = 1, .done = stop_in_callback, .arg = &stopper};
    for (int i = 0; i < 40; i++)
        ck_assert(upstream_call(rig.upstream, &call));
    rig_until(&rig, rig.has_stopped);
    ck_assert_int_eq(stopper.count, 40);
    upstream_forget(rig.upstream, &rig.listener);
    upstream_free(rig.upstream);
    rig.upstream = NULL;
    rig_clear(&rig);
}
END_TEST

/* --- Redis refuses
 * -------------------------------------------------------------------------------- */

START_TEST(while_a_script_runs_too_long_calls_are_refused_with_busy)
{
    struct rig rig;
    struct seen slow = {0}, refused = {0}, after = {0};
    char done[200];
    rig_init(&rig);
    rig_serve(&rig, "--lua-time-limit", "10", NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_send(&rig, &slow, "EVAL", "while true do end", "0");
    do
        rig_ask(&rig, &refused, "GET", "x");
    while (refused.fate == CALL_ANSWERED && slow.count == 0);
    ck_assert_int_eq(refused.fate, CALL_REFUSED);
    ck_assert_int_eq(strncmp(refused.text, "BUSY", 4), 0);
    ck_assert_int_eq(upstream_away_ms(rig.upstream), 0);
    rig_do(&rig, done, "SCRIPT KILL");
    rig_until(&rig, slow.count == 1);
    ck_assert_int_eq(slow.fate, CALL_ANSWERED);
    rig_ask(&rig, &after, "PING");
    ck_assert_str_eq(after.text, "PONG");
    ck_assert_uint_ge(rig_stats(&rig).refused, 1);
    rig_clear(&rig);
}
END_TEST

START_TEST(links_that_greet_a_busy_redis_are_ready_when_it_is_not)
{
    struct rig rig;
    char done[200];
    rig_init(&rig);
    rig.config.where.db = 1; /* SELECT is refused while busy */
    rig_serve(&rig, "--lua-time-limit", "10", NULL);
    redisContext *slow = rig_peek(rig.socket);
    ck_assert_int_eq(redisAppendCommand(slow, "EVAL %s 0", "while true do end"), REDIS_OK);
    int sent = 0;
    while (!sent)
        ck_assert_int_eq(redisBufferWrite(slow, &sent), REDIS_OK);
    do
        rig_do(&rig, done, "GET x");
    while (strncmp(done, "BUSY", 4) != 0);
    rig_start(&rig);
    rig_until(&rig, strncmp(upstream_trouble(rig.upstream), "BUSY", 4) == 0);
    ck_assert_int_eq(rig_stats(&rig).links_ready, 0);
    rig_do(&rig, done, "SCRIPT KILL");
    rig_all_ready(&rig);
    ck_assert_uint_eq(rig_stats(&rig).connects, 4); /* asked again on the same connections */
    redisFree(slow);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_full_memory_refuses_writes_and_nothing_else)
{
    struct rig rig;
    struct seen script = {0}, plain = {0}, read = {0};
    char keys[200];
    rig_init(&rig);
    rig_serve(&rig, "--maxmemory", "1", NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    ck_assert(rig_extend(&rig, &script, "a"));
    rig_until(&rig, script.count == 1);
    ck_assert_int_eq(script.fate, CALL_REFUSED);
    ck_assert_int_eq(strncmp(script.text, "OOM", 3), 0);
    rig_ask(&rig, &plain, "SET", "a", "b");
    ck_assert_int_eq(plain.fate, CALL_REFUSED);
    rig_ask(&rig, &read, "GET", "a");
    ck_assert_int_eq(read.fate, CALL_ANSWERED);
    rig_do(&rig, keys, "DBSIZE");
    ck_assert_str_eq(keys, "0");
    rig_clear(&rig);
}
END_TEST

START_TEST(a_replica_refuses_writes_as_readonly)
{
    struct rig rig;
    struct seen seen = {0};
    rig_init(&rig);
    rig_serve(&rig, "--replicaof", "127.0.0.1 1", NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    ck_assert(rig_extend(&rig, &seen, "a"));
    rig_until(&rig, seen.count == 1);
    ck_assert_int_eq(seen.fate, CALL_REFUSED);
    ck_assert_int_eq(strncmp(seen.text, "READONLY", 8), 0);
    rig_clear(&rig);
}
END_TEST

START_TEST(a_replica_without_its_master_takes_no_calls_until_it_does)
{
    struct rig rig;
    char done[200];
    rig_init(&rig);
    rig_serve(&rig, "--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "no", NULL);
    rig_start(&rig);
    rig_until(&rig, strncmp(upstream_trouble(rig.upstream), "MASTERDOWN", 10) == 0);
    ck_assert_int_gt(upstream_away_ms(rig.upstream), 0);
    rig_do(&rig, done, "REPLICAOF NO ONE");
    rig_all_ready(&rig);
    /* and the other way round, noticed by a call */
    struct seen seen = {0};
    rig_do(&rig, done, "REPLICAOF 127.0.0.1 1");
    rig_ask(&rig, &seen, "GET", "a");
    ck_assert_int_eq(seen.fate, CALL_REFUSED);
    rig_until(&rig, rig_stats(&rig).links_ready == 3);
    rig_do(&rig, done, "REPLICAOF NO ONE");
    rig_all_ready(&rig);
    rig_clear(&rig);
}
END_TEST

/* --- login
 * ---------------------------------------------------------------------------------------- */

START_TEST(a_missing_or_wrong_password_is_told_in_redis_words)
{
    struct rig rig;
    struct seen seen = {0};
    rig_init(&rig);
    rig_serve(&rig, "--requirepass", "right", NULL);
    rig_start(&rig);
    rig_until(&rig, strncmp(upstream_trouble(rig.upstream), "NOAUTH", 6) == 0);
    rig_set(&rig.config.password, "wrong"); /* as a reload would */
    rig_until(&rig, strncmp(upstream_trouble(rig.upstream), "WRONGPASS", 9) == 0);
    ck_assert(!rig_call(&rig, &seen, RIG_WORDS("PING")));
    rig_set(&rig.config.password, "right");
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "PING");
    ck_assert_str_eq(seen.text, "PONG");
    rig_clear(&rig);
}
END_TEST

START_TEST(an_acl_user_logs_in_and_is_refused_what_it_may_not)
{
    struct rig rig;
    struct seen seen = {0};
    char done[200];
    rig_init(&rig);
    rig_serve(&rig, NULL);
    rig_do(&rig, done, "ACL SETUSER ann on >secret ~* &* -@all +echo");
    rig_do(&rig, done, "ACL SETUSER default off");
    snprintf(rig.config.where.user, sizeof(rig.config.where.user), "ann");
    snprintf(rig.config.where.password, sizeof(rig.config.where.password), "secret");
    rig_start(&rig);
    rig_all_ready(&rig); /* though it may neither PING nor ask for INFO nor set its name */
    rig_ask(&rig, &seen, "ECHO", "x");
    ck_assert_str_eq(seen.text, "x");
    rig_ask(&rig, &seen, "GET", "x");
    ck_assert_int_eq(seen.fate, CALL_REFUSED);
    ck_assert_int_eq(strncmp(seen.text, "NOPERM", 6), 0);
    rig_clear(&rig);
}
END_TEST

START_TEST(the_database_is_selected_and_the_name_is_set)
{
    struct rig rig;
    struct seen seen = {0};
    char value[200];
    rig_init(&rig);
    rig.config.where.db = 3;
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_all_ready(&rig);
    rig_ask(&rig, &seen, "SET", "key", "in 3");
    rig_do(&rig, value, "EVAL %s 0", "redis.call('SELECT', 3) return redis.call('GET', 'key')");
    ck_assert_str_eq(value, "in 3");
    rig_ask(&rig, &seen, "CLIENT", "GETNAME");
    ck_assert_str_eq(seen.text, "rig");
    rig_clear(&rig);
}
END_TEST

START_TEST(a_database_that_is_not_there_is_told)
{
    struct rig rig;
    rig_init(&rig);
    rig.config.where.db = 99;
    rig_serve(&rig, NULL);
    rig_start(&rig);
    rig_until(&rig, strstr(upstream_trouble(rig.upstream), "DB index is out of range") != NULL);
    ck_assert_int_eq(rig_stats(&rig).links_ready, 0);
    rig_clear(&rig);
}
END_TEST

/* --- TCP
 * ------------------------------------------------------------------------------------------ */

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void use_tcp(struct rig *rig, const char *host, uint16_t port)
{
    rig->config.where.scheme = URL_TCP;
    rig->config.where.port = port;
    snprintf(rig->config.where.host, sizeof(rig->config.where.host), "%s", host);
}

START_TEST(a_host_is_reached_by_address_and_by_name)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    struct rig rig;
    struct seen seen = {0};
    char port[8];
    rig_init(&rig);
    uint16_t number = free_port();
    snprintf(port, sizeof(port), "%u", number);
    rig_serve(&rig, "--bind", "127.0.0.1", "--port", port, NULL);
    for (int i = 0; i < 2; i++) {
        use_tcp(&rig, hosts[i], number);
        rig_start(&rig);
        rig_all_ready(&rig);
        rig_ask(&rig, &seen, "PING");
        ck_assert_str_eq(seen.text, "PONG");
        char where[60];
        snprintf(where, sizeof(where), "redis://%s:%u", hosts[i], number);
        ck_assert_str_eq(rig_stats(&rig).where, where);
        rig_stop(&rig);
    }
    rig_clear(&rig);
}
END_TEST

START_TEST(a_port_where_nobody_listens_is_told)
{
    struct rig rig;
    rig_init(&rig);
    use_tcp(&rig, "127.0.0.1", free_port());
    rig_start(&rig);
    rig_until(&rig, strstr(upstream_trouble(rig.upstream), "refused") != NULL);
    rig_clear(&rig);
}
END_TEST

START_TEST(an_unknown_host_is_told_and_blocks_nothing)
{
    struct rig rig;
    rig_init(&rig);
    rig.config.connect_timeout_ms = 500;
    use_tcp(&rig, "no-such-host.invalid", 6379);
    rig_start(&rig);
    int64_t start_ms = clock_ms(&rig.clock);
    rig_turn(&rig);
    ck_assert_int_lt(clock_ms(&rig.clock) - start_ms, 300);
    rig_until(&rig, upstream_trouble(rig.upstream)[0] != '\0');
    rig_clear(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream");
    TCase *tests = tcase_create("upstream");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, commands_and_scripts_are_answered);
    tcase_add_test(tests, an_error_of_the_script_is_an_answer);
    tcase_add_test(tests, no_call_is_taken_before_a_link_is_ready_and_listeners_hear_of_it);
    tcase_add_test(tests, thousands_of_calls_at_once_get_each_its_own_answer);
    tcase_add_test(tests, calls_spread_over_all_links);
    tcase_add_test(tests, large_arguments_and_replies_pass);
    tcase_add_test(tests, a_full_upstream_takes_no_call_and_tells_when_it_has_room);
    tcase_add_test(tests, scripts_that_redis_forgot_are_loaded_and_sent_again);
    tcase_add_test(tests, a_script_that_may_not_be_loaded_is_refused_not_tried_for_ever);
    tcase_add_test(tests, calls_in_flight_are_lost_once_when_redis_is_killed_and_it_comes_back);
    tcase_add_test(tests,
                   a_hung_redis_costs_its_calls_at_the_deadline_and_is_used_again_when_it_goes_on);
    tcase_add_test(tests, a_hung_redis_is_noticed_without_any_call);
    tcase_add_test(tests,
                   a_call_that_touches_much_has_more_time_and_takes_none_from_those_behind_it);
    tcase_add_test(tests, an_idle_link_stays_when_redis_is_well);
    tcase_add_test(tests, answers_that_wait_unread_after_a_standstill_of_ours_are_answers);
    tcase_add_test(tests, stopping_loses_the_calls_in_flight_once_and_tells_when_it_is_done);
    tcase_add_test(tests, a_callback_may_stop_the_upstream);
    tcase_add_test(tests, while_a_script_runs_too_long_calls_are_refused_with_busy);
    tcase_add_test(tests, links_that_greet_a_busy_redis_are_ready_when_it_is_not);
    tcase_add_test(tests, a_full_memory_refuses_writes_and_nothing_else);
    tcase_add_test(tests, a_replica_refuses_writes_as_readonly);
    tcase_add_test(tests, a_replica_without_its_master_takes_no_calls_until_it_does);
    tcase_add_test(tests, a_missing_or_wrong_password_is_told_in_redis_words);
    tcase_add_test(tests, an_acl_user_logs_in_and_is_refused_what_it_may_not);
    tcase_add_test(tests, the_database_is_selected_and_the_name_is_set);
    tcase_add_test(tests, a_database_that_is_not_there_is_told);
    tcase_add_test(tests, a_host_is_reached_by_address_and_by_name);
    tcase_add_test(tests, a_port_where_nobody_listens_is_told);
    tcase_add_test(tests, an_unknown_host_is_told_and_blocks_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
