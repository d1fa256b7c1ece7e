/* The fields of contacts and their folders: names, types, limits, defaults. */
#include "domain/contact.h"
#include "domain/zone.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define NO_ONE { .phone_number = "", .first_name = "", .last_name = "", .email = "", .timezone = "", .custom_fields = "" }

/* Given with a campaign these fields are a struct of their own, else a part of one. */
#define WHO(member, ...) { .name = #member, .offset = WHO_AT + offsetof(struct contact_input, member), __VA_ARGS__ }
#define WHO_FIELDS                                                                                    \
	WHO(phone_number, .type = FIELD_PHONE, .flags = FIELD_REQUIRED),                              \
	WHO(first_name, .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = CONTACT_NAME_MAX),      \
	WHO(last_name, .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = CONTACT_NAME_MAX),       \
	WHO(email, .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = CONTACT_EMAIL_MAX),          \
	WHO(custom_fields, .type = FIELD_OBJECT, .flags = FIELD_NULLABLE,                             \
	    .max = CONTACT_CUSTOM_FIELDS_MAX),                                                        \
	WHO(timezone, .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = 64, .check = zone_check)

static const struct contact_input contact_input_initial = NO_ONE;

#define WHO_AT 0
static const struct field contact_input_list[] = { WHO_FIELDS };
#undef WHO_AT

const struct field_table contact_input_fields = {
	contact_input_list, COUNT(contact_input_list), sizeof(struct contact_input), &contact_input_initial,
};

static const struct contact contact_initial = {
	.who = NO_ONE, .last_call_outcome = -1, .last_called_at_us = INSTANT_NONE,
};

#define WHO_AT offsetof(struct contact, who)
static const struct field contact_list[] = {
	{ .name = "folder_id", .type = FIELD_ID, .flags = FIELD_NULLABLE, .offset = offsetof(struct contact, folder_id) },
	WHO_FIELDS,
};
#undef WHO_AT

const struct field_table contact_fields = {
	contact_list, COUNT(contact_list), sizeof(struct contact), &contact_initial,
};

static const struct contact_folder contact_folder_initial = { .name = "", .description = "" };

static const struct field contact_folder_list[] = {
	{ .name = "name", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .min = 1, .max = 255,
	  .offset = offsetof(struct contact_folder, name) },
	{ .name = "description", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = 1000,
	  .offset = offsetof(struct contact_folder, description) },
};

const struct field_table contact_folder_fields = {
	contact_folder_list, COUNT(contact_folder_list), sizeof(struct contact_folder), &contact_folder_initial,
};
