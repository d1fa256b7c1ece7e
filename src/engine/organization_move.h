/* Moves an organisation from one installation (a cell) to another. Its row in each cell says where it is
 * (enum organization_place). It is never ORGANIZATION_HERE in two cells.
 *
 *	old cell      new cell
 *	HERE          nothing, or ELSEWHERE after an earlier stay
 *	HERE          nothing, or DROPPED: organization_give_up
 *	LEAVING       the same: organization_close
 *	LEAVING       ARRIVING: organization_copy
 *	LEAVING       HERE: organization_hand_over
 *	ELSEWHERE     HERE
 *
 * A move that dies in between is repeated, or it is undone: the copy is given up, then the old cell opens, and the new
 * cell notes ELSEWHERE with the name of the old cell. So if the old cell has LEAVING, any other place in the new cell
 * says that the copy was opened there. */
#ifndef ENGINE_ORGANIZATION_MOVE_H
#define ENGINE_ORGANIZATION_MOVE_H

#include "store/db.h"

struct organization_place_of;

/* Finds an organisation by its id, or else by its name. DB_NOT_FOUND: neither exists. */
enum db_result organization_at(struct db *db, const struct uuid *uuid, const char *name, struct arena *arena,
                               struct organization_place_of *out);

/* Lists in words what has to end before the organisation can move. An empty list: it is at rest. */
enum db_result organization_unrest(struct db *db, int64_t id, struct arena *arena, const char ***list, size_t *count);

/* Closes the organisation, so that only this process changes its rows. Waits for requests that change something.
 * DB_REFUSED: the organisation is not here. */
enum db_result organization_close(struct db *db, int64_t id, const char *cell);

/* Counts the decisions that are not in the ledger yet. */
enum db_result organization_unsealed(struct db *db, int64_t id, int64_t *count);

/* Returns whether the organisation was opened in the new cell, whose row this is, if the old cell has LEAVING. */
bool organization_was_opened(const struct organization_place_of *there, const char *from_cell);

/* Gives a copy up. Afterwards nothing is added to it. `from_stay`: also what an earlier stay left, which is only right
 * as long as the organisation is open in the old cell. DB_REFUSED: it is neither. */
enum db_result organization_give_up(struct db *db, int64_t id, const char *from_cell, bool from_stay);
/* Notes that the organisation is in the old cell, after its copy was given up and its rows were deleted. */
enum db_result organization_leave_address(struct db *db, int64_t id, const char *from_cell);

struct organization_handing {
	struct db *from, *to;
	int64_t id, new_id;
	struct uuid uuid;
	const char *from_cell, *to_cell;
};

/* Opens the copy, and then notes in `from` where the organisation is. It can be repeated. DB_REFUSED: the move was
 * undone, or the copy was given up. */
enum db_result organization_hand_over(const struct organization_handing *handing);

/* Gives the copy up, and opens the organisation again where it was. DB_REFUSED: it is not leaving, or it was opened in
 * the other cell. */
enum db_result organization_take_back(const struct organization_handing *handing);

#endif
