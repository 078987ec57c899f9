/* app_impl.h - what the programs share. */
#ifndef APPS_APP_IMPL_H
#define APPS_APP_IMPL_H

#include "apps/app.h"
#include "net/sock.h"

extern const struct app httpd_app, miscserv_app, bulksrv_app, bulkget_app, tn3270d_app, otelnetd_app;

#define APP_BUFFER_BYTES 131072u /* of a server's connections: enough for 100 Mbit/s over 10 ms */

#define APP_BACKLOG 1024 /* as much as SOMAXCONN allows */

/* A listening TCP socket, or a bound UDP socket, with its event function. 0 or what sock_open, sock_bind and sock_listen
 * return. */
int app_listen(struct app_env *env, const char *jobname, u16 port, u32 backlog, sock_event_fn *fn, void *ctx, u64 now,
               struct sock **out);
int app_bind_udp(struct app_env *env, const char *jobname, u16 port, sock_event_fn *fn, void *ctx, u64 now,
                 struct sock **out);

#endif
