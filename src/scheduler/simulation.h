/* `outdial simulate`: weeks of a campaign in seconds. Planning, claim and reports are the scheduler's own, against a
 * scratch database; the clock stands, and is moved to the next instant at which something happens; the dialer and the
 * people called do as a script says. */
#ifndef SCHEDULER_SIMULATION_H
#define SCHEDULER_SIMULATION_H

#include "base/conf.h"

void simulate(const struct conf *conf, int argc, char **argv);

#endif
