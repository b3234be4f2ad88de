/* run: `rallocd run`: holds a resource or a lock while a program runs. A client of the daemon like
 * any other. What is held ends by its time if we die; as long as the program runs it is renewed
 * each third of that time, over as many connections as it takes, and the program is stopped before
 * the time is over by our own clock, which began when the last renewal was sent.
 *
 *     ASKING --granted--> CONFIRMING --> RUNNING --lost, or its time is nearly over--> STOPPING
 *        |                                  |                                             |
 *        +-- nothing free                   +------- the program has ended --------------+
 *                                                        |
 *                                                   GIVING_BACK --> end
 *
 * (CONFIRMING: it was waited for, so that nobody knows when its time began: it is renewed first.)
 *
 * Knows: streams, replies, the rooms of this folder.  Must not know: the daemon's parts. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

/* `rallocd run ...`, from the word "run" on: the exit status. */
int run_main(int argc, char **argv);

#endif
