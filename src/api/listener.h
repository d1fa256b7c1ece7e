/* The listening socket of the API. Either systemd makes it and hands it over, or the API binds it. */
#ifndef API_LISTENER_H
#define API_LISTENER_H

#include "base/conf.h"

/* Returns the socket that systemd hands over, or this program before a SIGHUP. If there is none, binds conf->socket. */
int listener_open(const struct conf *conf);

/* Hands the socket to the program that this process executes next, as systemd would do it. Returns its descriptor. */
int listener_hand_over(int fd);

/* Removes the socket file if the API has bound it. */
void listener_remove(const struct conf *conf);

#endif
