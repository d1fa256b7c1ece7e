/* Where an organisation is, if there are several installations (cells). */
#ifndef DOMAIN_ORGANIZATION_H
#define DOMAIN_ORGANIZATION_H

#include "base/clock.h"

/* How long a worker answers by what it knew of the place of an organisation. */
#define ORGANIZATION_REMEMBERED_US (2 * US_PER_SECOND)

/* The numbers are stored. */
enum organization_place {
	ORGANIZATION_HERE,
	ORGANIZATION_LEAVING,   /* it is copied to another cell */
	ORGANIZATION_ELSEWHERE, /* in another cell; its name and its keys stay, so that replies can name the cell */
	ORGANIZATION_ARRIVING,  /* it is copied from another cell */
	ORGANIZATION_DROPPED,   /* a copy that was given up, or the rest of an earlier stay that a new copy replaces */
};

#endif
