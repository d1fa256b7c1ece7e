/* Reads from a replica: a replica of the database may answer lists, exports, analytics and the overview. It must
 * have everything that the organisation wrote through this API, and be at most REPLICA_LAG_MAX_US behind. The lag
 * is measured by the sign of life of this API, which is written once a second and reaches the replica like any
 * other write. */
#ifndef API_REPLICA_H
#define API_REPLICA_H

#include "api/request.h"
#include "store/process_store.h"

#define REPLICA_NOT_BEFORE_US (5 * US_PER_SECOND) /* after a start: workers from before a SIGHUP may still write */

/* Looks again and again how far the replica is, until the process is asked to end. */
void replica_run(const struct conf *conf, int listen_fd, int number);

/* Records that the organisation wrote. It reads from the writer until the write has arrived on the replica. */
void replica_note_write(int64_t organization_id);

/* request->db becomes the replica for the rest of the request, if it may answer this organisation. */
void replica_choose(struct request *request, int64_t organization_id);

/* Makes the writer answer, because the replica did not answer with a success. Returns false if the writer has answered
 * already. */
bool replica_give_up(struct request *request);

/* Returns how far the replica is behind; -1: there is none, or it may not be asked. */
int64_t replica_lag_us(void);

#endif
