/* SPDX-License-Identifier: MIT */
/* The parent's side of the upstream: fork, a socket pair to talk over, and a clean end. */
#include "support.h"
#include "upstream.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_child(const struct schedule *schedule, uint32_t request_count, int control,
                      pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* The parent may have died before prctl took effect. */
  if (getppid() == parent) {
    upstream_serve(schedule, request_count, control);
  }
  _exit(0);
}

void upstream_start(struct upstream *upstream, const struct schedule *schedule,
                    uint32_t request_count) {
  int ends[2];
  pid_t parent = getpid();
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  fflush(NULL); /* what is buffered now would be printed by both processes */
  upstream->pid = fork();
  require(upstream->pid >= 0, "fork");
  if (upstream->pid == 0) {
    run_child(schedule, request_count, ends[1], parent);
  }
  close(ends[1]);
  upstream->control = ends[0];
  upstream->request_count = request_count;
  read_all(upstream->control, &upstream->port, sizeof(upstream->port));
}

void upstream_begin(const struct upstream *upstream, int64_t epoch_ns) {
  write_all(upstream->control, &epoch_ns, sizeof(epoch_ns));
}

void upstream_stop(struct upstream *upstream) {
  struct upstream_counts *counts = &upstream->counts;
  size_t per_request_size = upstream->request_count * sizeof(uint16_t);
  /* shutdown, not close: later upstreams were forked with a copy of this descriptor. */
  shutdown(upstream->control, SHUT_WR);
  read_all(upstream->control, counts, sizeof(*counts));
  counts->per_request = allocate(per_request_size);
  read_all(upstream->control, counts->per_request, per_request_size);
  close(upstream->control);
  require(waitpid(upstream->pid, NULL, 0) == upstream->pid, "waitpid");
}

void upstream_release(struct upstream *upstream) { free(upstream->counts.per_request); }
