#include "domain/contact_columns.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "domain/csv.h"

const char *const contact_column_names[COLUMN__MAX] = {
	[COLUMN_IGNORED] = "ignored",       [COLUMN_CUSTOM] = "custom_field", [COLUMN_PHONE] = "phone_number",
	[COLUMN_FIRST_NAME] = "first_name", [COLUMN_LAST_NAME] = "last_name", [COLUMN_NAME] = "name",
	[COLUMN_EMAIL] = "email",           [COLUMN_TIMEZONE] = "timezone",
};

const char *const contact_map_names[COLUMN__MAX] = {
	[COLUMN_IGNORED] = "",
	[COLUMN_CUSTOM] = "",
	[COLUMN_PHONE] = "phone",
	[COLUMN_FIRST_NAME] = "first_name",
	[COLUMN_LAST_NAME] = "last_name",
	[COLUMN_NAME] = "name",
	[COLUMN_EMAIL] = "email",
	[COLUMN_TIMEZONE] = "timezone",
};

/* How certain a name is. Where two columns mean the same, the more certain name is used, then the first. */
enum certainty {
	OURS,     /* a field of the API: two of them are an error */
	USUAL,    /* a usual name in exports */
	DOUBTFUL, /* it may mean something else: used where there is no other */
	CERTAINTY__MAX
};

/* Names as names_match compares them: # matches any digits, or none. */
static const char *const known[COLUMN__MAX][CERTAINTY__MAX][180] = {
	[COLUMN_PHONE] = {
		[OURS] = { "phone", "phonenumber" },
		[USUAL] = {
			"phone#", "phone#value", "phone#number", "phonenumber#", "phoneno", "phonework", "phonemobile",
			"phonehome", "primaryphone", "primaryphonenumber", "personphone#", "personphonework", "personphonemobile",
			"personphonehome", "contactnumber", "contactphone", "contactphonenumber", "contactmobile", "customerphone",
			"billingphone", "shippingphone", "defaultaddressphone", "homephone#", "homephonenumber", "businessphone#",
			"workphone#", "workphonenumber", "otherphone", "tel#", "telno", "telnumber", "telephone#",
			"telephonenumber", "mobile#", "mobilephone#", "mobilephonenumber", "mobilenumber", "mobileno", "cell",
			"cellphone", "cellphonenumber", "cellnumber", "msisdn",
			"phones", "phonenumbers", "phoneother", "phonemain", "phoneiphone", "phonebilling", "phoneshipping",
			"mainphone", "contactno", "personphoneother", "billingphonenumber", "shippingphonenumber",
			"otherphonenumber", "directphone", "directphonenumber", "workdirectphone", "corporatephone", "daytimephone",
			"eveningphone", "yourphone", "yourphonenumber", "yourtel", "inviteephone", "attendeephone",
			"attendeephonenumber", "smsphonenumber", "telf#",
			"telefon#", "telefonnummer#", "telefonnr", "telnr", "rufnummer", "rufnr", "telefonmobil", "telefonprivat#",
			"telefongeschäftlich#", "telefondienstlich", "telprivat", "telgeschäftlich", "telmobil", "festnetz",
			"festnetznummer", "haupttelefon", "weiterestelefon", "mobil#", "mobiltelefon#", "mobiltelefonnummer",
			"mobilnummer",
			"mobilfunk", "mobilfunknummer", "handy", "handynummer", "handynr",
			"tél#", "télmobile", "télportable", "télfixe", "n°detéléphone", "numérodemobile", "téléphonefixe",
			"téléphone#", "numérodetéléphone", "numerodetelephone", "téléphoneportable", "telephoneportable",
			"téléphonemobile", "telephonemobile", "portable",
			"teléfono#", "telefono#", "númerodeteléfono", "numerodetelefono", "móvil", "movil", "teléfonomóvil",
			"telefonomovil", "nºdeteléfono", "teléfonocelular", "telefonocelular", "celular", "cellulare",
			"telefonocellulare", "numeroditelefono", "numerodicellulare", "numerocellulare", "telefonomobile",
			"telefone#",
			"telefonecelular", "númerodetelefone", "numerodetelefone", "telemóvel", "telemovel",
			"telefoon#", "telefoonnummer", "mobiel", "mobielnummer", "mobieletelefoon", "gsm",
			"numertelefonu", "telefonkomórkowy", "komórka", "puhelin", "puhelinnumero", "primarycontactprimaryphone",
		},
		[DOUBTFUL] = {
			"number", "nummer", "numéro", "numero", "número", "whatsapp", "whatsappnumber", "whatsappphonenumber",
			"textremindernumber", "smsnumber",
		},
	},
	[COLUMN_FIRST_NAME] = {
		[OURS] = { "firstname" },
		[USUAL] = {
			"givenname", "forename", "fname", "billingfirstname", "firstnamebilling", "customerfirstname",
			"contactfirstname", "inviteefirstname", "attendeefirstname", "yourfirstname", "primeironome",
			"personfirstname", "vorname", "prénom", "prenom", "voornaam", "förnamn", "fornavn", "imię", "imie",
			"etunimi",
		},
	},
	[COLUMN_LAST_NAME] = {
		[OURS] = { "lastname" },
		[USUAL] = {
			"surname", "familyname", "lname", "billinglastname", "lastnamebilling", "customerlastname",
			"contactlastname", "personlastname", "inviteelastname", "attendeelastname", "attendeesurname",
			"yourlastname",
			"primerapellido", "nachname", "familienname", "nomdefamille", "apellido", "apellidos", "cognome",
			"sobrenome",
			"achternaam", "efternamn", "etternavn", "nazwisko", "sukunimi",
		},
	},
	[COLUMN_NAME] = {
		[OURS] = { "fullname" },
		[USUAL] = {
			"contactname", "customername", "clientname", "displayname", "personname", "billingname", "inviteename",
			"attendeename", "yourname", "vorundnachname", "vollständigername", "firstandlastname", "firstlastname",
			"nom", "nomcomplet", "nombre", "nombrecompleto", "nome", "nomecompleto", "naam", "namn", "navn",
			"kundenname",
		},
		/* also of an order, or a company */
		[DOUBTFUL] = { "name", "name1", "leadname", "ansprechpartner", "kontaktperson" },
	},
	[COLUMN_EMAIL] = {
		[OURS] = { "email" },
		[USUAL] = {
			"emailaddress", "emailaddress1", "email1", "email1value", "email1address", "emailwork", "emailhome",
			"personemail", "personemailwork", "personemailhome", "personemailother", "billingemail", "emailbilling",
			"customeremail", "contactemail", "inviteeemail", "attendeeemail", "youremail", "workemail", "emails",
			"emailaddressother", "emailaddresswork", "emailaddresshome", "smtpaddr", "mail", "mailadresse",
			"emailadresse", "courriel", "adresseemail", "adressemail", "adresseélectronique", "correo",
			"correoelectrónico", "correoelectronico", "direccióndecorreoelectrónico", "indirizzoemail", "epost",
		},
	},
	[COLUMN_TIMEZONE] = {
		[OURS] = { "timezone" },
		[USUAL] = { "tz", "ianatimezone", "zeitzone", "fuseauhoraire", "zonahoraria", "fusohorario" },
	},
};

struct sorting {
	const char *const *names;
	size_t count;
	bool phones_only;
	enum contact_column *kinds;
	enum certainty certainties[CSV_FIELDS_MAX];
	char *reason;
};

bool contact_fault(char reason[CONTACT_CSV_REASON], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, CONTACT_CSV_REASON, format, args);
	va_end(args);
	return false;
}

/* Returns the lower case of a byte: ASCII, and the second bytes of À to Þ after `before`. */
static unsigned char small(unsigned char before, unsigned char c)
{
	if (before == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97)
		return (unsigned char)(c + 0x20);
	return c < 0x80 ? (unsigned char)tolower(c) : c;
}

/* Gaps, case and punctuation do not count: "Phone Number", "phone_number" and "PhoneNumber" are phonenumber. */
static bool names_match(const char *text, const char *name)
{
	unsigned char before = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && !isalnum(c))
			continue;
		if (*name == '#' && isdigit(c))
			continue;
		name += *name == '#';
		if (small(before, c) != (unsigned char)*name)
			return false;
		before = c;
		name++;
	}
	name += *name == '#';
	return *name == '\0';
}

static bool is_called(const char *text, enum contact_column kind, enum certainty certainty)
{
	for (const char *const *name = known[kind][certainty]; *name != NULL; name++)
		if (names_match(text, *name))
			return true;
	return false;
}

/* Judges a column by its name alone. */
static void judge_name(struct sorting *sorting, size_t i)
{
	sorting->kinds[i] = *sorting->names[i] == '\0' ? COLUMN_IGNORED : COLUMN_CUSTOM;
	for (int kind = COLUMN_PHONE; kind < COLUMN__MAX; kind++)
		for (int certainty = 0; certainty < CERTAINTY__MAX; certainty++)
			if (is_called(sorting->names[i], (enum contact_column)kind, (enum certainty)certainty)) {
				sorting->kinds[i] = (enum contact_column)kind;
				sorting->certainties[i] = (enum certainty)certainty;
				return;
			}
}

/* The columns of an export of results (api/results_csv.c). */
static const struct {
	const char *name;
	enum contact_column kind;
} results[] = {
	{ "position", COLUMN_IGNORED },      { "contact_id", COLUMN_IGNORED },   { "phone_number", COLUMN_PHONE },
	{ "first_name", COLUMN_FIRST_NAME }, { "last_name", COLUMN_LAST_NAME },  { "email", COLUMN_EMAIL },
	{ "timezone", COLUMN_TIMEZONE },     { "status", COLUMN_IGNORED },       { "call_status", COLUMN_IGNORED },
	{ "scheduled_at", COLUMN_IGNORED },  { "call_id", COLUMN_IGNORED },      { "from_number", COLUMN_IGNORED },
	{ "called_at", COLUMN_IGNORED },     { "ended_at", COLUMN_IGNORED },     { "duration_seconds", COLUMN_IGNORED },
	{ "cost", COLUMN_IGNORED },          { "attempts", COLUMN_IGNORED },     { "call_back_at", COLUMN_IGNORED },
	{ "outcome", COLUMN_IGNORED },       { "error_reason", COLUMN_IGNORED }, { "custom_fields", COLUMN_IGNORED },
};

static bool has_name(const struct sorting *sorting, const char *name)
{
	for (size_t i = 0; i < sorting->count; i++)
		if (strcmp(sorting->names[i], name) == 0)
			return true;
	return false;
}

static bool are_results(const struct sorting *sorting)
{
	return has_name(sorting, "contact_id") && has_name(sorting, "call_status") && has_name(sorting, "error_reason");
}

/* A column that the export does not have is a custom field, whatever its name. */
static void judge_result(struct sorting *sorting, size_t i)
{
	sorting->kinds[i] = *sorting->names[i] == '\0' ? COLUMN_IGNORED : COLUMN_CUSTOM;
	for (size_t k = 0; k < sizeof results / sizeof *results; k++)
		if (strcmp(results[k].name, sorting->names[i]) == 0)
			sorting->kinds[i] = results[k].kind;
}

/* Returns the first column of this kind, or `count`. */
static size_t find(const struct sorting *sorting, enum contact_column kind)
{
	size_t i = 0;

	while (i < sorting->count && sorting->kinds[i] != kind)
		i++;
	return i;
}

/* Uses the columns that the client chose, and no others of their kinds. */
static bool apply_map(struct sorting *sorting, const struct contact_map *map)
{
	for (int kind = COLUMN_PHONE; kind < COLUMN__MAX; kind++) {
		const char *chosen = map->columns[kind];
		size_t at = 0;

		if (chosen == NULL || *chosen == '\0')
			continue;
		while (at < sorting->count && strcasecmp(sorting->names[at], chosen) != 0)
			at++;
		if (at == sorting->count)
			return contact_fault(sorting->reason, "map[%s]: there is no column of this name", contact_map_names[kind]);
		for (size_t i = 0; i < sorting->count; i++)
			if (sorting->kinds[i] == (enum contact_column)kind)
				sorting->kinds[i] = COLUMN_CUSTOM;
		sorting->kinds[at] = (enum contact_column)kind;
		sorting->certainties[at] = OURS;
	}
	return true;
}

/* In German, French and Spanish lists one word may mean the full name, or one half of it beside the other half. */
static void complete_names(struct sorting *sorting)
{
	size_t name = find(sorting, COLUMN_NAME), first = find(sorting, COLUMN_FIRST_NAME),
		   last = find(sorting, COLUMN_LAST_NAME), none = sorting->count;

	if (name == none)
		return;
	if (first != none && last == none && sorting->certainties[first] == USUAL)
		sorting->kinds[name] = COLUMN_LAST_NAME;
	else if (first == none && last != none && sorting->certainties[name] == USUAL)
		sorting->kinds[name] = COLUMN_FIRST_NAME;
}

/* Returns whether a more certain column means the same as this one. */
static bool is_outdone(const struct sorting *sorting, size_t i)
{
	enum contact_column kind = sorting->kinds[i];
	enum certainty certainty = sorting->certainties[i];

	if (kind < COLUMN_PHONE || certainty == OURS || (kind == COLUMN_PHONE && certainty == USUAL))
		return false;
	for (size_t k = 0; k < sorting->count; k++)
		if (k != i && sorting->kinds[k] == kind &&
		    (sorting->certainties[k] < certainty || (sorting->certainties[k] == certainty && k < i)))
			return true;
	return false;
}

static bool check_twice(const struct sorting *sorting, size_t i)
{
	enum contact_column kind = sorting->kinds[i];

	if (kind == COLUMN_IGNORED || (sorting->phones_only && kind != COLUMN_PHONE))
		return true;
	for (size_t k = 0; k < i; k++) {
		bool is_same = strcmp(sorting->names[k], sorting->names[i]) == 0;

		if (kind == COLUMN_PHONE && sorting->kinds[k] == kind && sorting->phones_only)
			return contact_fault(sorting->reason, "columns %zu and %zu both have numbers: choose with map[phone]",
			                     k + 1, i + 1);
		if (is_same || (kind > COLUMN_PHONE && sorting->kinds[k] == kind))
			return contact_fault(sorting->reason, "column %zu means the same as one before it", i + 1);
	}
	return true;
}

bool contact_columns_sort(const char *const *names, size_t count, const struct contact_map *map, bool phones_only,
                          enum contact_column *kinds, char reason[CONTACT_CSV_REASON])
{
	struct sorting sorting = { names, count, phones_only, kinds, { OURS }, reason };

	bool is_ours = are_results(&sorting);

	for (size_t i = 0; i < count; i++)
		if (is_ours)
			judge_result(&sorting, i);
		else
			judge_name(&sorting, i);
	if (!apply_map(&sorting, map))
		return false;
	for (size_t i = count; i-- > 0;)
		if (is_outdone(&sorting, i))
			kinds[i] = COLUMN_CUSTOM;
	complete_names(&sorting);
	for (size_t i = 0; i < count; i++)
		if (!check_twice(&sorting, i))
			return false;
	return find(&sorting, COLUMN_PHONE) < count ||
	       contact_fault(reason,
	                     "the first row must name the columns, and none has telephone numbers: choose with map[phone]");
}
