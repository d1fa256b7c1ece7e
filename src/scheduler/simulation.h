/* `outdial simulate`: weeks of a campaign in seconds. Planning, claims and reports are the scheduler's, with a
 * scratch database. The clock stands still, and is moved to the next instant at which something happens. A script
 * defines what the dialer and the contacts do. */
#ifndef SCHEDULER_SIMULATION_H
#define SCHEDULER_SIMULATION_H

#include "base/conf.h"

void simulate(const struct conf *conf, int argc, char **argv);

#endif
