/* node: one rallocd for tests: started with its sockets in a folder, ready when it says so, stopped
 * by its process id.  Knows: the daemon's settings, systemd's READY message. */
#ifndef TESTS_LIB_NODE_H
#define TESTS_LIB_NODE_H

#include "tests/lib/client.h"
#include <sys/types.h>

#define NODE_MAX_ARGS 32

struct node {
    char dir[80];
    char name[16];
    char path[128]; /* of its Unix socket */
    char log[128];
    char *args[NODE_MAX_ARGS]; /* besides the sockets; owned */
    int arg_count;
    pid_t pid;        /* 0: does not run */
    int port;         /* of 127.0.0.1; 0 unless asked for */
    int port_v6;      /* of ::1 */
    int notify;       /* the socket where its messages come */
    char status[512]; /* the newest STATUS= */
};

/* The path of the program under test: $RALLOCD, or beside the tests. */
const char *node_program(void);

void node_init(struct node *node, const char *dir, const char *name);
void node_clear(struct node *node);
/* An argument for the next start: "--server.timeout=1". */
void node_option(struct node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Starts it and waits for READY. */
void node_start(struct node *node);
/* Starts it; whether it gets ready is to be seen. */
void node_launch(struct node *node);
/* Waits until it has sent this message (as a part of one): "READY=1", "STOPPING=1". */
void node_wait_message(struct node *node, const char *message);
/* Has a message come that holds it? Reads what has come. */
bool node_has_message(struct node *node, const char *message);
/* SIGTERM, then its end: the exit status (256 + signal when killed). */
int node_stop(struct node *node);
int node_wait_end(struct node *node);
void node_kill(struct node *node);
void node_signal(struct node *node, int signal_number);
bool node_log_has(const struct node *node, const char *text);

struct client *node_client(const struct node *node);
/* Returns when the node has read all that was sent to it before: the loop takes sockets in the
 * order in which bytes came, so a PING that comes later is answered later. */
void node_catch_up(const struct node *node);

#endif
