/* The CSV parser, and the contacts from its rows. Every text is parsed as a whole, byte by byte, and in two pieces, cut
 * at every position. The rows must always be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "domain/contact_csv.h"
#include "domain/list_text.h"

/* Rows as text: number, ':', fields in brackets, '!' for a fault, one row per line. */
static bool write_row(void *context, const struct csv_row *row)
{
	struct buf *out = context;

	buf_printf(out, "%d:", (int)row->number);
	for (size_t i = 0; i < row->count; i++) {
		buf_putc(out, '[');
		buf_add(out, row->fields[i].text, row->fields[i].len);
		buf_putc(out, ']');
	}
	buf_puts(out, row->fault != NULL ? "!\n" : "\n");
	return true;
}

static void parse(struct buf *out, const char *text, size_t len, size_t piece)
{
	struct csv *csv = csv_new(write_row, out);

	buf_reset(out);
	for (size_t at = 0; at < len; at += piece)
		assert_true(csv_push(csv, text + at, len - at < piece ? len - at : piece));
	assert_true(csv_end(csv));
	csv_free(csv);
}

#define BOM "\xef\xbb\xbf"

static const struct {
	const char *text, *rows;
} cases[] = {
	{ "", "" },
	{ "\n\r\n\r", "" },
	{ "a", "1:[a]\n" },
	{ "a,b\n1,2\n", "1:[a][b]\n2:[1][2]\n" },
	{ "a,b\r\n1,2", "1:[a][b]\n2:[1][2]\n" },
	{ "a,b\r1,2\r", "1:[a][b]\n2:[1][2]\n" },
	{ "a\n\nb\n", "1:[a]\n3:[b]\n" },
	{ "\n\na;b\n1;2\n", "3:[a][b]\n4:[1][2]\n" },
	{ BOM "a,b\n", "1:[a][b]\n" },
	{ BOM "\"a\",b\n", "1:[a][b]\n" },
	{ "a;b;c,d\n1;2,3;4\n", "1:[a][b][c,d]\n2:[1][2,3][4]\n" },
	{ "a\tb\n1,2\t3\n", "1:[a][b]\n2:[1,2][3]\n" },
	{ "a|b\n1,2|3;\n", "1:[a][b]\n2:[1,2][3;]\n" },
	{ "sep=;\r\na,b;c\r\n1;2\r\n", "1:[a,b][c]\n2:[1][2]\n" },
	{ BOM "Sep=|\na,b\n1|2", "1:[a,b]\n2:[1][2]\n" },
	{ "\"sep=,\"\ra;b\r", "1:[a;b]\n" },
	{ "sep=\t\n", "" },
	{ "sep=x\na\n", "1:[sep=x]\n2:[a]\n" },
	{ "a\nsep=;\n", "1:[a]\n2:[sep=;]\n" },
	{ "\"a;b;c\",d\n1;2,3\n", "1:[a;b;c][d]\n2:[1;2][3]\n" },
	{ "a,b\n\"1\r\n2\",\"x\"\"y\"\n", "1:[a][b]\n2:[1\r\n2][x\"y]\n" },
	{ "a,b\n\"\",\n", "1:[a][b]\n2:[][]\n" },
	{ "a\n\"\"\n", "1:[a]\n2:[]\n" },
	{ "a\n\"\"", "1:[a]\n2:[]\n" },
	{ "a\n\"\"\"\"\n", "1:[a]\n2:[\"]\n" },
	{ "a,b\n1,\n,2\n,\n", "1:[a][b]\n2:[1][]\n3:[][2]\n4:[][]\n" },
	{ "a,b\nx\"y,\"z\"\n", "1:[a][b]\n2:[x\"y][z]\n" },
	{ "a,b\n \"x\",y\n", "1:[a][b]\n2:[ \"x\"][y]\n" },
	{ "a,b\n\"x\"y,z\n1,2\n", "1:[a][b]\n2:[xy][z]!\n3:[1][2]\n" },
	{ "a,b\n1,\"2\n3,4\n", "1:[a][b]\n2:[1][2\n3,4\n]!\n" },
	{ "\"a\nb\",c\n1,2\n", "1:[a\nb][c]\n2:[1][2]\n" },
	{ "a,b\n1,2\n\n\n", "1:[a][b]\n2:[1][2]\n" },
};

static void rows_of_every_cut(void **state)
{
	struct buf rows = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].text);

		for (size_t piece = 1; piece <= len + 1; piece++) { /* also the first cut at every place */
			parse(&rows, cases[i].text, len, piece);
			assert_string_equal(buf_text(&rows), cases[i].rows);
		}
	}
	buf_free(&rows);
}

static void a_nul_is_a_byte_like_others(void **state)
{
	struct buf rows = { 0 };

	(void)state;
	parse(&rows, "a,b\nx\0y,z\n", 10, 3);
	assert_int_equal(rows.len, strlen("1:[a][b]\n2:[x_y][z]\n"));
	assert_memory_equal(rows.data, "1:[a][b]\n2:[x\0y][z]\n", rows.len);
	buf_free(&rows);
}

struct counted {
	int rows, faults;
	int64_t last;
};

static bool count_row(void *context, const struct csv_row *row)
{
	struct counted *counted = context;

	counted->rows++;
	counted->faults += row->fault != NULL;
	counted->last = row->number;
	return counted->rows < 1000;
}

static void long_rows_are_reported_and_skipped(void **state)
{
	struct counted counted = { 0 };
	struct csv *csv = csv_new(count_row, &counted);
	char *text = malloc(CSV_ROW_MAX + 1);

	(void)state;
	memset(text, 'x', CSV_ROW_MAX + 1);
	assert_true(csv_push(csv, "a,b\n", 4));
	for (int i = 0; i < 10; i++)
		assert_true(csv_push(csv, text, CSV_ROW_MAX + 1));
	assert_true(csv_push(csv, "\n1,2\n", 5));
	assert_true(csv_end(csv));
	assert_int_equal(counted.rows, 3);
	assert_int_equal(counted.faults, 1);
	memset(text, ',', 600);
	text[299] = '\n'; /* 300 empty fields */
	text[598] = 'x';
	text[599] = '\n';
	csv_free(csv);
	csv = csv_new(count_row, &counted);
	assert_true(csv_push(csv, text, 300));
	assert_int_equal(counted.faults, 1);
	assert_true(csv_push(csv, text + 300, 300));
	assert_int_equal(counted.faults, 2);
	csv_free(csv);
	free(text);
}

static void the_receiver_of_rows_may_stop(void **state)
{
	struct counted counted = { .rows = 998 };
	struct csv *csv = csv_new(count_row, &counted);

	(void)state;
	assert_false(csv_push(csv, "a\nb\nc\nd\n", 8));
	assert_int_equal(counted.last, 2);
	csv_free(csv);
}

/* Contacts. */

struct reading {
	struct contact_csv columns;
	bool has_header;
	struct buf out;
	char reason[CONTACT_CSV_REASON];
};

static bool read_row(void *context, const struct csv_row *row)
{
	struct reading *reading = context;
	struct contact_input c;

	if (!reading->has_header) {
		reading->has_header = true;
		if (!contact_csv_header(&reading->columns, row, reading->reason))
			buf_printf(&reading->out, "header: %s", reading->reason);
		return reading->out.len == 0;
	}
	switch (contact_csv_read(&reading->columns, row, &c, reading->reason)) {
	case CONTACT_CSV_OK:
		buf_printf(&reading->out, "%s|%s|%s|%s|%s|%s\n", c.phone_number, c.first_name, c.last_name, c.email, c.timezone,
		           c.custom_fields);
		break;
	case CONTACT_CSV_EMPTY: buf_puts(&reading->out, "-\n"); break;
	case CONTACT_CSV_BAD: buf_printf(&reading->out, "%s: %s\n", c.phone_number, reading->reason); break;
	case CONTACT_CSV_UNREADABLE:
		buf_printf(&reading->out, "%s (%d): %s\n", c.phone_number, (int)row->lines, reading->reason);
		break;
	}
	return true;
}

static const struct {
	const char *text, *contacts;
} contact_cases[] = {
	{ "phone\n+4930\n", "+4930|||||\n" },
	{ "PHONE_NUMBER,City,First Name,LAST-NAME,Email,TimeZone,City Part\n"
	  "+4930,\"Köln, \"\"K\"\"\",A,B,a@b,Europe/Berlin,\n",
	  "+4930|A|B|a@b|Europe/Berlin|{\"City\":\"Köln, \\\"K\\\"\"}\n" },
	{ "name;phone\nAda King  Lovelace; +4930 \nPlato;+4931\n", "+4930|Ada|King  Lovelace|||\n+4931|Plato||||\n" },
	{ "name,first_name,phone\nAda Lovelace,A,+4930\n", "+4930|A||||\n" },
	{ "phone,,x\n+4930,ignored,\n,,\n", "+4930|||||\n-\n" },
	{ "phone,x\n+4930\n+4931,1,\n+4932,1,2\n",
	  "+4930|||||\n+4931|||||{\"x\":\"1\"}\n+4932: the row has more fields than the header\n" },
	{ "Mobile,phone,Phone 2 - Value\n,030,\n,,+49 30 4\nx,+4931,\n+4932,+4933,\n",
	  "030: phone_number: has no country: it must begin with + or 00, or the import needs a "
	  "default_country\n+49304|||||\n+4931|||||{\"Mobile\":\"x\"}\n+4932|||||{\"phone\":\"+4933\"}\n" },
	{ "phone\n+4930 ::: +4931\nx ::: +49 32\n:::+4933\nx:::y\n",
	  "+4930|||||{\"phone\":\"+4930 ::: +4931\"}\n+4932|||||{\"phone\":\"x ::: +49 "
	  "32\"}\n+4933|||||{\"phone\":\":::+4933\"}\n"
	  "x:::y: phone_number: contains characters that a number cannot have\n" },
	{ "phone,x\n+49 30 1/2,\n4.91512E+12,\n4930.0,\n",
	  "+49 30 1/2: phone_number: has a slash: the text after it may be a second extension\n"
	  "4.91512E+12: phone_number: was rounded by a spreadsheet: format the column as text, and export it again\n"
	  "4930.0: phone_number: ends with .0, like a quantity: format the column as text, and export it again\n" },
	{ "number,Mobile,Fax,Phone 1 - Label\n7,+4930,+4931,Home\n",
	  "+4930|||||{\"number\":\"7\",\"Fax\":\"+4931\",\"Phone 1 - Label\":\"Home\"}\n" },
	{ "number,name\n+4930,A B\n", "+4930|A|B|||\n" },
	{ "Nachname;Vorname;Telefon;E-Mail-Adresse\nB;A;0049 30 12;a@b\n", "+493012|A|B|a@b||\n" },
	{ "Name;Vorname;Handy\nB;A;+4930\n", "+4930|A|B|||\n" },
	{ "NOM;PRÉNOM;TÉLÉPHONE\nB;A;+33 (0)1 23\n", "+33123|A|B|||\n" },
	{ "Nombre;Apellidos;Teléfono móvil\nA;B C;+3460\n", "+3460|A|B C|||\n" },
	{ "Nombre;Móvil\nA B;+3460\n", "+3460|A|B|||\n" },
	{ "billing_first_name,First Name,billing_phone\nX,A,+4930\n", "+4930|A||||{\"billing_first_name\":\"X\"}\n" },
	{ "Vorname,Vorname,phone\n", "header: column 2 means the same as one before it" },
	{ "x,phone\n1,\n1,030123\n1,+0123\n", ": phone_number: is missing\n030123: phone_number: has no country: it must "
	                                      "begin with + or 00, or the import needs a default_country\n"
	                                      "+0123: phone_number: must be in E.164 form, such as +4930123456\n" },
	{ "phone,timezone\n+4930,Mars/Base\n", "+4930: timezone: is not an IANA time zone\n" },
	{ "phone,x\n+4930,\xff\n", "+4930: field 2 is not UTF-8 text\n" },
	{ "phone,x\n+4930,\"a\"b\n", "+4930 (1): there is text after a closing quote\n" },
	{ "name,x\nA,1\n",
	  "header: the first row must name the columns, and none has telephone numbers: choose with map[phone]" },
	{ "phone,Phone_Number\n,+4930\n", "+4930|||||\n" },
	{ "phone,phone\n", "header: column 2 means the same as one before it" },
	{ "phone,x,x\n", "header: column 3 means the same as one before it" },
	{ "phone,\"Amount\r\n(USD)\",\"Height 5\"\"\",a  b\t\x01 c \n+4930,1,2,3\n",
	  "+4930|||||{\"Amount (USD)\":\"1\",\"Height 5\\\"\":\"2\",\"a  b c\":\"3\"}\n" },
	{ "phone,Time Zone,FirstName,last.name,E-mail,\"Phone #2\"\n+4930,UTC,A,B,a@b,x\n",
	  "+4930|A|B|a@b|UTC|{\"Phone #2\":\"x\"}\n" },
	{ "\"(PHONE) number:\",FULL_NAME,time_zone\n+4930,A B,UTC\n", "+4930|A|B||UTC|\n" },
	{ "phone,name\n+4930,\"Ada\n+4931,Bo\n\n+4932,Cy\n",
	  "+4930 (3): a quote is never closed: the row takes up 3 lines\n" },
	{ "phone,name\n+4930,\"Ada\r\n+4931,Bo\r\n+4932,\"\"Cy\"\"\n+4933,\"\n+4934,Dan\n",
	  "+4930 (4): field 2 has a line break: a quote may not be closed, the row takes up 4 lines\n+4934|Dan||||\n" },
	{ "phone,note\n+4930,\"a\nb\"\n", "+4930|||||{\"note\":\"a\\nb\"}\n" },
	{ "phone,name,name \n+4930,A,B\n", "header: column 3 means the same as one before it" },
	{ "phone,full name,NAME\n+4930,A B,x\n", "+4930|A|B|||{\"NAME\":\"x\"}\n" },
	{ "Name,Email,Billing Name,Billing Phone\n#1001,a@b,A B,+4930\n", "+4930|A|B|a@b||{\"Name\":\"#1001\"}\n" },
	{ "Text Reminder Number,Name\n+4930,A\n", "+4930|A||||\n" },
	{ "WhatsApp,Tél.\n+4930,+4931\n", "+4931|||||{\"WhatsApp\":\"+4930\"}\n" },
	{ "phone\np:+49 30\nTel: 0049 31\np:x\n",
	  "+4930|||||\n+4931|||||\np:x: phone_number: contains characters that a number cannot have\n" },
	{ "phone,\"a\nb\",a b\n", "header: column 3 means the same as one before it" },
	{ "phone,\xff\xfe\n", "header: the header is not UTF-8 text" },
};

static void contacts_of_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof contact_cases / sizeof *contact_cases; i++) {
		struct reading reading = { .columns.arena = arena_new() };
		struct csv *csv = csv_new(read_row, &reading);

		if (csv_push(csv, contact_cases[i].text, strlen(contact_cases[i].text)))
			csv_end(csv);
		assert_string_equal(buf_text(&reading.out), contact_cases[i].contacts);
		csv_free(csv);
		contact_csv_free(&reading.columns);
		arena_free(reading.columns.arena);
		buf_free(&reading.out);
	}
}

/* Returns the text of a file that is pushed in pieces of every size. */
static void check_text(const char *charset, const char *bytes, size_t len, const char *expected)
{
	for (size_t piece = 1; piece <= len + 1; piece++) {
		struct list_text *text = list_text_new(charset);
		struct buf out = { 0 };
		const char *fault = NULL, *part;
		size_t part_len;

		for (size_t at = 0; at < len && fault == NULL; at += piece) {
			part = bytes + at;
			part_len = len - at < piece ? len - at : piece;
			fault = list_text_push(text, &part, &part_len);
			if (fault == NULL)
				buf_add(&out, part, part_len);
		}
		if (fault == NULL)
			fault = list_text_end(text, &part, &part_len);
		if (fault == NULL)
			buf_add(&out, part, part_len);
		assert_string_equal(fault != NULL ? fault : buf_text(&out), expected);
		buf_free(&out);
		list_text_free(text);
	}
}

#define CHECK_TEXT(charset, bytes, expected) check_text(charset, bytes, sizeof bytes - 1, expected)

static void texts_of_files(void **state)
{
	(void)state;
	CHECK_TEXT("", "", "");
	CHECK_TEXT("", "a", "a");
	CHECK_TEXT("", "phone\n\xe4", "phone\n\xe4");
	CHECK_TEXT("", "\xff\xfe\x61\0\xe4\0\x3d\xd8\x00\xde", "a\xc3\xa4\xf0\x9f\x98\x80");
	CHECK_TEXT("", "\xfe\xff\0a\0\xe4", "a\xc3\xa4");
	CHECK_TEXT("windows-1252", "Jos\xe9 \x80\n", "Jos\xc3\xa9 \xe2\x82\xac\n");
	CHECK_TEXT("Windows-1252", "a\x81\x62", "a\xff\x62");
	CHECK_TEXT("iso-8859-1", "\xe9", "\xc3\xa9");
	CHECK_TEXT("iso-8859-15", "\xa4", "\xe2\x82\xac");
	CHECK_TEXT("windows-1252", BOM "\xc3\xa9", BOM "\xc3\xa9");
	CHECK_TEXT("windows-1252", "\xff\xfe\x61\0", "a");
	CHECK_TEXT("utf-16le", "a\0b\0", "ab");
	CHECK_TEXT("utf-16le", "a\0b", "ab"); /* the part of the character that has come */
	CHECK_TEXT("", "PK\x03\x04rest",
	           "this is a workbook (.xlsx or .ods) or a zip file: save the sheet as CSV UTF-8, and send that");
	assert_false(list_text_knows("utf-7"));
	assert_false(list_text_knows(""));
}

static void numbers_as_people_write_them(void **state)
{
	static const struct phone_reading plain = { .country = "" };
	static const struct {
		const char *text, *number; /* NULL: none */
	} numbers[] = {
		{ "+4930123456", "+4930123456" },
		{ "+1 (212) 555-0104", "+12125550104" },
		{ "+44 (0)20 7946 0000", "+442079460000" },
		{ "0044 20 7946 0001", "+442079460001" },
		{ "'+12125550103", "+12125550103" },
		{ "(+49) 30-12.34", "+49301234" },
		{ "\xe2\x80\xaa+12125550100\xe2\x80\xac", "+12125550100" },
		{ "\xe2\x80\x8b+12125550101", "+12125550101" },
		{ "+12125550102\xc2\xa0", "+12125550102" },
		{ "+49\xe2\x80\x91"
		  "30\xe2\x80\x93"
		  "1",
		  "+49301" },
		{ BOM "+4930", "+4930" },
		{ "+39 (06) 12", "+390612" },
		{ "+49-(0)30-1", "+49301" },
		{ "0049(0)30 1", "+49301" },
		{ "+", NULL },
		{ "", NULL },
		{ "00", NULL },
		{ "000", NULL },
		{ "+0123", NULL },
		{ "+39 (0)6 12", "+390612" }, /* it is dialled */
		{ "030 123", NULL },
		{ "(212) 555-0105", NULL },
		{ "14155550100", NULL },
		{ "+49 30 1 x12", NULL },
		{ "+49+30", NULL },
		{ "+1 800 FLOWERS", NULL },
		{ "4.91512E+12", NULL },
		{ "+1234567890123456", NULL },
		{ "+123456789012345", "+123456789012345" },
		{ "+4930\xff", NULL },
		{ "'", NULL },
		{ "+49'30", NULL },
		{ "+49 30 1, +49 30 2", NULL },
		{ "+49 30 12345/67", NULL },
		{ "+14155550100.0", NULL },
		{ "+1111111111111111111111111111111111111111", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		char number[PHONE_SIZE] = "", reason[PHONE_REASON] = "";
		bool is_number = phone_text_clean(numbers[i].text, strlen(numbers[i].text), &plain, number, reason);

		assert_string_equal(is_number ? number : "none", numbers[i].number != NULL ? numbers[i].number : "none");
	}
	assert_false(phone_text_clean("+49\00030", 6, &plain, (char[PHONE_SIZE]){ 0 }, (char[PHONE_REASON]){ 0 }));
}

static void utf8(void **state)
{
	static const char *const valid[] = { "",
		                                 "a",
		                                 "\xc2\x80",
		                                 "\xdf\xbf",
		                                 "\xe0\xa0\x80",
		                                 "\xed\x9f\xbf",
		                                 "\xee\x80\x80",
		                                 "\xf0\x90\x80\x80",
		                                 "\xf4\x8f\xbf\xbf" };
	static const char *const invalid[] = { "\x80",
		                                   "\xc1\xbf",
		                                   "\xc2",
		                                   ("\xc2"
		                                    "a"),
		                                   "\xe0\x9f\xbf",
		                                   "\xed\xa0\x80",
		                                   "\xe2\x82",
		                                   "\xf0\x8f\xbf\xbf",
		                                   "\xf4\x90\x80\x80",
		                                   "\xf0\x90\x80",
		                                   "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
		assert_true(utf8_is_valid(valid[i], strlen(valid[i])));
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
		assert_false(utf8_is_valid(invalid[i], strlen(invalid[i])));
	assert_false(utf8_is_valid("a\0b", 3));
	assert_int_equal(utf8_length("a\xc3\xa4\xf0\x9f\x98\x80", 7), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_every_cut),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(long_rows_are_reported_and_skipped),
		cmocka_unit_test(the_receiver_of_rows_may_stop),
		cmocka_unit_test(contacts_of_rows),
		cmocka_unit_test(texts_of_files),
		cmocka_unit_test(numbers_as_people_write_them),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
