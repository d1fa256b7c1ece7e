/* The fields of contacts and their folders: names, types, limits, defaults. */
#include "base/zone.h"
#include "domain/contact.h"

/* clang-format off */
#define NO_ONE \
	{ .phone_number = "", .first_name = "", .last_name = "", .email = "", .timezone = "", .custom_fields = "" }
/* clang-format on */

#define PERSONAL (FIELD_NULLABLE | FIELD_PERSONAL)

/* With a campaign, these fields are a struct of their own; else they are a member, `who.`. */
#define WHO_FIELDS(holder, who) \
	FIELD_AS("phone_number", holder, who phone_number, PHONE, .flags = FIELD_REQUIRED | FIELD_PERSONAL), \
		FIELD_AS("first_name", holder, who first_name, STRING, .flags = PERSONAL, .max = CONTACT_NAME_MAX), \
		FIELD_AS("last_name", holder, who last_name, STRING, .flags = PERSONAL, .max = CONTACT_NAME_MAX), \
		FIELD_AS("email", holder, who email, STRING, .flags = PERSONAL, .max = CONTACT_EMAIL_MAX), \
		FIELD_AS("timezone", holder, who timezone, STRING, .flags = PERSONAL, .max = 64, .check = zone_check), \
		FIELD_AS("custom_fields", holder, who custom_fields, OBJECT, .flags = PERSONAL, \
	             .max = CONTACT_CUSTOM_FIELDS_MAX)

static const struct contact_input contact_input_initial = NO_ONE;

FIELD_TABLE(contact_input_fields, struct contact_input, &contact_input_initial, WHO_FIELDS(struct contact_input, ));

static const struct contact contact_initial = {
	.who = NO_ONE,
	.last_call_outcome = -1,
	.last_called_at_us = INSTANT_NONE,
};

FIELD_TABLE(contact_fields, struct contact, &contact_initial,
            FIELD(struct contact, folder_id, ID, .prefix = ID_FOLDER, .flags = FIELD_NULLABLE),
            WHO_FIELDS(struct contact, who.));

static const struct contact_folder contact_folder_initial = { .name = "", .description = "" };

FIELD_TABLE(contact_folder_fields, struct contact_folder, &contact_folder_initial,
            FIELD(struct contact_folder, name, STRING, .flags = FIELD_REQUIRED, .min = 1, .max = 255),
            FIELD(struct contact_folder, description, STRING, .flags = FIELD_NULLABLE, .max = 1000));
