/* probed: what probes find out, as the scripts keep it: who is ill is out of the free list, who is
 * healthy comes back, and what a person has said stays. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

/* The daemon, a quarantine of a minute, a summary. */
#define SUMMARY "\"tcp 7 2 1 10012 1 \" "
#define AS_D    "D 60000 " SUMMARY

static struct scene scene;

static void open_with(const char *resources, const char *count)
{
    char words[200];
    scene_open(&scene, NULL);
    snprintf(words, sizeof words, "-1 %s", resources);
    expect(&scene.at, SCRIPT_POOL_EXTEND, words, count);
}

/* What an answer of names and values in turn has for a name. */
static void assert_value(redisReply *reply, const char *name, const char *value)
{
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *found = reply->element[i + 1];
        char number[30];
        if (strcmp(reply->element[i]->str, name) != 0)
            continue;
        snprintf(number, sizeof number, "%lld", found->integer);
        ck_assert_str_eq(found->type == REDIS_REPLY_INTEGER ? number : found->str, value);
        freeReplyObject(reply);
        return;
    }
    ck_abort_msg("no %s", name);
}

/* Of the status of resource a. */
static void assert_named(const char *name, const char *value)
{
    assert_value(script_say(&scene.at, SCRIPT_POOL_STATUS, "a"), name, value);
}

static void assert_info(const char *name, const char *value)
{
    assert_value(script_say(&scene.at, SCRIPT_POOL_INFO, ""), name, value);
}

START_TEST(an_ill_one_is_quarantined_at_once_and_a_healthy_one_comes_back)
{
    open_with("a b c", "3");
    expect(&scene.at, SCRIPT_POOL_PROBED,
           AS_D "b 1 70 \"connect: Connection refused\" a 0 80 connected", "[1 0]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a c]");
    expect_redis(&scene, "GET p|x:b", "#UNHEALTHY");
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 3 free 2 leased 0 quarantined 1 ...");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "b 0 90 connected", "[0 1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a c b]");
    expect_redis(&scene, "EXISTS p|x:b p|x|pool|aside p|x|pool|leases", "0");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "b 0 90 connected", "[0 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_leased_one_is_quarantined_when_it_comes_back)
{
    open_with("a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 70 refused", "[1 0]");
    expect_redis(&scene, "EXISTS p|x|pool|aside", "1");
    expect_batch(&scene.at, "R a \"\" 60000", "[1]"); /* its holder keeps it */
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect_redis(&scene, "GET p|x:a", "#UNHEALTHY");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 0 70 connected", "[0 1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(one_that_gets_healthy_while_it_is_leased_is_free_when_it_comes_back)
{
    open_with("a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 70 refused", "[1 0]");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 0 70 connected", "[0 1]");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_a_person_quarantined_stays_whatever_probes_say)
{
    open_with("a b", "2");
    expect(&scene.at, SCRIPT_POOL_SET_ASIDE, "1 0 \"fan broken\" a", "1");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 70 refused", "[1 0]");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 0 70 connected", "[0 0]");
    expect_redis(&scene, "GET p|x:a", "#UNHEALTHY");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state quarantined ttl -1 expiry -1 fence 0 owner nil next \"\" why fan broken ...");
    expect(&scene.at, SCRIPT_POOL_RESTORE, "\"\" a", "1");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_quarantine_lasts_for_its_time_unless_it_is_said_again)
{
    open_with("a", "1");
    expect(&scene.at, SCRIPT_POOL_PROBED, "D 1000 " SUMMARY "a 1 70 refused", "[1 0]");
    expect(&scene.at, SCRIPT_POOL_PROBED, "D 500000 " SUMMARY "a 1 70 refused", "[1 0]");
    redisReply *ttl = scene_ask(&scene, "PTTL p|x:a");
    ck_assert_int_gt(ttl->integer, 400000);
    freeReplyObject(ttl);
    expect(&scene.at, SCRIPT_POOL_PROBED, "D 0 " SUMMARY "a 1 70 refused", "[1 0]");
    expect_redis(&scene, "PTTL p|x:a", "-1");
    expect_redis(&scene, "ZSCORE p|x|pool|leases a", "inf");
    scene_close(&scene);
}
END_TEST

START_TEST(what_probes_find_is_kept_with_the_time_of_its_last_change)
{
    open_with("a", "1");
    assert_named("health", "");
    assert_named("probe_result", "");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 0 80 connected", "[0 0]");
    assert_named("health", "healthy");
    assert_named("probe_result", "connected");
    assert_named("probe_latency_us", "80");
    scene_do(&scene, "HSET p|x|pool|traits ha \"healthy 1000 80 connected\"");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 0 90 \"status 200\"", "[0 0]");
    expect_redis(&scene, "HGET p|x|pool|traits ha", "healthy 1000 90 status 200");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 95 \"status 500\"", "[1 0]");
    redisReply *health = scene_ask(&scene, "HGET p|x|pool|traits ha");
    ck_assert_int_eq(strncmp(health->str, "ill 1", 5), 0);
    ck_assert_ptr_nonnull(strstr(health->str, " 95 status 500"));
    ck_assert_int_gt(atoll(health->str + 4), 1000);
    freeReplyObject(health);
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    expect_redis(&scene, "EXISTS p|x|pool|traits p|x|pool|aside p|x:a", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(who_waits_gets_what_is_healthy_again)
{
    open_with("a", "1");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 80 refused", "[1 0]");
    expect_batch(&scene.at, "W D:1 \"\" 0 1 1 1000 r3 \"\" 0 \"\" \"\"", "[[# #]]");
    expect_redis(&scene, "HLEN p|x|pool|granted", "0");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 0 80 connected", "[0 1]");
    expect_redis(&scene, "HLEN p|x|pool|granted", "1");
    scene_close(&scene);
}
END_TEST

START_TEST(a_name_that_prefers_an_ill_one_gets_another)
{
    open_with("a b", "2");
    expect_batch(&scene.at, "M 1 1 60000 r1 job 100000 \"\" \"\"", "[[a ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 80 refused", "[1 0]");
    expect_batch(&scene.at, "M 1 1 60000 r2 job 100000 \"\" \"\"", "[[b ...");
    expect(&scene.at, SCRIPT_POOL_BOUND, "job", "b");
    scene_close(&scene);
}
END_TEST

START_TEST(a_daemon_that_does_not_lead_says_nothing)
{
    open_with("a", "1");
    scene_do(&scene, "SET p|x|pool|leader other");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 80 refused", "-1");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    expect_redis(&scene, "EXISTS p|x|pool|traits", "0");
    scene_do(&scene, "SET p|x|pool|leader D");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 80 refused", "[1 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(strangers_are_passed_over_and_a_name_counts_once)
{
    open_with("a", "1");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "stranger 1 80 refused a 1 1 x a 0 1 y", "[1 0]");
    expect_redis(&scene, "HKEYS p|x|pool|traits", "[aa ha]");
    expect_redis(&scene, "EXISTS p|x:stranger", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(the_summary_is_shown_while_it_is_new)
{
    open_with("a", "1");
    assert_info("probe", "none");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D, "[0 0]");
    assert_info("probe", "tcp");
    assert_info("healthy", "7");
    assert_info("ill", "2");
    assert_info("unprobed", "1");
    assert_info("probe_round_ms", "10012");
    assert_info("probes_held", "1");
    assert_info("probe_trouble", "");
    expect(&scene.at, SCRIPT_POOL_PROBED, "D 0 \"exec 0 0 1 -1 0 no program\"", "[0 0]");
    assert_info("probe_trouble", "no program");
    scene_do(&scene, "HSET p|x|pool|journal probes \"1000 tcp 1 2 3 4 0 \"");
    assert_info("probe", "none");
    assert_info("ill", "0");
    scene_do(&scene, "HSET p|x|pool|traits ha \"healthy 1000 80 connected\"");
    assert_named("health", ""); /* nobody probes any more: who knows? */
    scene_close(&scene);
}
END_TEST

/* Of a list that is broken nothing is made worse, and the daemon hears it. */
START_TEST(a_broken_list_is_told)
{
    open_with("a b c", "3");
    scene_do(&scene, "HSET p|x|pool b a||nowhere||-1");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "b 1 1 refused", "!BROKEN ...");
    expect_redis(&scene, "EXISTS p|x:b", "0");
    scene_close_broken(&scene);
}
END_TEST

/* --- a Python program at the same pool ----------------------------------------------------------
 */

START_TEST(a_python_program_is_not_given_what_is_ill)
{
    char *got;
    open_with("a b", "2");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 80 refused", "[1 0]");
    got = seedpeer_malloc(&scene.peer, 100, "", 0);
    ck_assert_str_eq(got, "b");
    free(got);
    ck_assert_ptr_null(seedpeer_malloc(&scene.peer, 100, "", 0));
    seedpeer_gc(&scene.peer, 100);
    expect_redis(&scene, "GET p|x:a", "#UNHEALTHY");
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 0 80 connected", "[0 1]");
    got = seedpeer_malloc(&scene.peer, 100, "", 0);
    ck_assert_str_eq(got, "a");
    free(got);
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_of_a_python_program_that_gets_ill_is_quarantined_when_it_ends)
{
    static const char *const names[] = {"a"};
    open_with("a b", "2");
    free(seedpeer_malloc(&scene.peer, 100, "", 0));
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 80 refused", "[1 0]");
    seedpeer_free(&scene.peer, -1, 1, names); /* it puts it into the free list */
    expect(&scene.at, SCRIPT_POOL_PROBED, AS_D "a 1 80 refused", "[1 0]");
    expect_redis(&scene, "GET p|x:a", "#UNHEALTHY");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_ill_one_is_quarantined_at_once_and_a_healthy_one_comes_back,
        a_leased_one_is_quarantined_when_it_comes_back,
        one_that_gets_healthy_while_it_is_leased_is_free_when_it_comes_back,
        what_a_person_quarantined_stays_whatever_probes_say,
        a_quarantine_lasts_for_its_time_unless_it_is_said_again,
        what_probes_find_is_kept_with_the_time_of_its_last_change,
        who_waits_gets_what_is_healthy_again,
        a_name_that_prefers_an_ill_one_gets_another,
        a_daemon_that_does_not_lead_says_nothing,
        strangers_are_passed_over_and_a_name_counts_once,
        the_summary_is_shown_while_it_is_new,
        a_broken_list_is_told,
        a_python_program_is_not_given_what_is_ill,
        a_lease_of_a_python_program_that_gets_ill_is_quarantined_when_it_ends,
        NULL};
    return scene_run("probed", tests);
}
