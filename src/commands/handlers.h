/* handlers: one function a command, in the order of the table. Each answers its ask: at once into
 * ask->reply, or later by a struct later.
 * Knows: dispatch.h. */
#ifndef COMMANDS_HANDLERS_H
#define COMMANDS_HANDLERS_H

#include "commands/dispatch.h"

/* leases.c */
void cmd_malloc(struct ask *ask);
void cmd_free(struct ask *ask);
void cmd_renew(struct ask *ask);
void cmd_held(struct ask *ask);

/* gang.c */
void cmd_mallocall(struct ask *ask);

/* explain.c */
void cmd_explain(struct ask *ask);

/* bindings.c */
void cmd_bind(struct ask *ask);
void cmd_unbind(struct ask *ask);
void cmd_bound(struct ask *ask);

/* pools.c */
void cmd_pool_extend(struct ask *ask);
void cmd_pool_shrink(struct ask *ask);
void cmd_pool_assign(struct ask *ask);
void cmd_pool_clear(struct ask *ask);
void cmd_pool_refresh(struct ask *ask);
void cmd_pool_gc(struct ask *ask);
void cmd_pool_check(struct ask *ask);
void cmd_pool_repair(struct ask *ask);

/* pools_look.c */
void cmd_pool_keys(struct ask *ask);
void cmd_pool_len(struct ask *ask);
void cmd_pool_has(struct ask *ask);
void cmd_pool_freelist(struct ask *ask);
void cmd_pool_scan(struct ask *ask);
void cmd_pool_list(struct ask *ask);
void cmd_pool_info(struct ask *ask);
void cmd_pool_health(struct ask *ask);
void cmd_pool_status(struct ask *ask);

/* labels.c */
void cmd_pool_tag(struct ask *ask);
void cmd_pool_tags(struct ask *ask);

/* data.c */
void cmd_pool_setdata(struct ask *ask);
void cmd_pool_getdata(struct ask *ask);

/* pools_aside.c */
void cmd_pool_quarantine(struct ask *ask);
void cmd_pool_restore(struct ask *ask);
void cmd_pool_drain(struct ask *ask);
void cmd_pool_pause(struct ask *ask);
void cmd_pool_resume(struct ask *ask);

/* fences.c */
void cmd_fence_check(struct ask *ask);

/* locks.c */
void cmd_lock(struct ask *ask);
void cmd_rlock(struct ask *ask);
void cmd_lockall(struct ask *ask);
void cmd_update(struct ask *ask);
void cmd_extendlock(struct ask *ask);
void cmd_unlock(struct ask *ask);
void cmd_locked(struct ask *ask);
void cmd_lockvalue(struct ask *ask);
void cmd_lockttl(struct ask *ask);
void cmd_lockstatus(struct ask *ask);
void cmd_setif(struct ask *ask);
void cmd_delif(struct ask *ask);

/* lock_sets.c */
void cmd_lockset_extend(struct ask *ask);
void cmd_lockset_shrink(struct ask *ask);
void cmd_lockset_assign(struct ask *ask);
void cmd_lockset_clear(struct ask *ask);
void cmd_lockset_keys(struct ask *ask);
void cmd_lockset_has(struct ask *ask);
void cmd_lockset_len(struct ask *ask);
void cmd_lockset_status(struct ask *ask);
void cmd_lockset_health(struct ask *ask);

/* beats.c */
void cmd_beat(struct ask *ask);
void cmd_beats(struct ask *ask);
void cmd_leave(struct ask *ask);

/* tasks.c */
void cmd_query(struct ask *ask);
void cmd_listen(struct ask *ask);
void cmd_progress(struct ask *ask);
void cmd_result(struct ask *ask);
void cmd_fail(struct ask *ask);
void cmd_task(struct ask *ask);
void cmd_hastask(struct ask *ask);
void cmd_cancel(struct ask *ask);

/* queues.c */
void cmd_queue_list(struct ask *ask);
void cmd_queue_info(struct ask *ask);
void cmd_queue_peek(struct ask *ask);
void cmd_queue_purge(struct ask *ask);
void cmd_queue_dead(struct ask *ask);
void cmd_queue_kick(struct ask *ask);
void cmd_queue_pause(struct ask *ask);
void cmd_queue_resume(struct ask *ask);
void cmd_queue_cron(struct ask *ask);
void cmd_queue_uncron(struct ask *ask);
void cmd_queue_crons(struct ask *ask);

/* connection.c */
void cmd_subscribe(struct ask *ask);
void cmd_unsubscribe(struct ask *ask);
void cmd_ping(struct ask *ask);
void cmd_echo(struct ask *ask);
void cmd_auth(struct ask *ask);
void cmd_hello(struct ask *ask);
void cmd_select(struct ask *ask);
void cmd_reset(struct ask *ask);
void cmd_quit(struct ask *ask);
void cmd_time(struct ask *ask);

/* clients.c */
void cmd_client_id(struct ask *ask);
void cmd_client_getname(struct ask *ask);
void cmd_client_setname(struct ask *ask);
void cmd_client_setinfo(struct ask *ask);
void cmd_client_list(struct ask *ask);
void cmd_client_info(struct ask *ask);
void cmd_client_kill(struct ask *ask);
void cmd_client_no_evict(struct ask *ask);
void cmd_client_reply(struct ask *ask);
void cmd_client_trackinginfo(struct ask *ask);

/* acl.c */
void cmd_acl_whoami(struct ask *ask);
void cmd_acl_users(struct ask *ask);
void cmd_acl_list(struct ask *ask);

/* docs.c */
void cmd_command_docs(struct ask *ask);
void cmd_help(struct ask *ask);
void cmd_container_help(struct ask *ask);

/* specs.c */
void cmd_command(struct ask *ask);
void cmd_command_count(struct ask *ask);
void cmd_command_info(struct ask *ask);
void cmd_command_list(struct ask *ask);
void cmd_command_getkeys(struct ask *ask);

/* info.c */
void cmd_info(struct ask *ask);

/* admin.c */
void cmd_config_get(struct ask *ask);
void cmd_config_set(struct ask *ask);
void cmd_config_resetstat(struct ask *ask);
void cmd_slowlog_get(struct ask *ask);
void cmd_slowlog_len(struct ask *ask);
void cmd_slowlog_reset(struct ask *ask);
void cmd_monitor(struct ask *ask);
void cmd_shutdown(struct ask *ask);

#endif
