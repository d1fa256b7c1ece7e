#include "domain/pressure.h"

void pressure_refused(struct pressure *pressure, int64_t in_progress, int64_t sent_us, int64_t now_us)
{
	int64_t places = pressure->places;

	if (places != 0 && sent_us < pressure->cut_at_us)
		return;
	if (places == 0 || in_progress < places)
		places = in_progress;
	pressure->places = places / 2 > 1 ? places / 2 : 1;
	pressure->taken = 0;
	pressure->cut_at_us = now_us;
}

void pressure_taken(struct pressure *pressure, int64_t max_concurrent)
{
	if (pressure->places == 0 || ++pressure->taken < pressure->places)
		return;
	pressure->taken = 0;
	if (++pressure->places >= max_concurrent)
		pressure->places = 0;
}
