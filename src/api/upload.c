#include "api/upload.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "api/media_type.h"
#include "api/multipart.h"
#include "api/reply.h"
#include "base/buf.h"
#include "base/log.h"
#include "domain/list_text.h"

#define RETRY_AFTER_SECONDS "30"
#define VALUE_MAX 1024 /* bytes of a part that is not the file */

static bool is_form(const char *media_type)
{
	return media_type_is(media_type, "multipart/form-data");
}

bool upload_is_known_type(const char *media_type)
{
	return media_type_is(media_type, "text/csv") || is_form(media_type);
}

bool upload_is_known_charset(const char *media_type)
{
	char charset[UPLOAD_CHARSET_SIZE];

	return is_form(media_type) || !media_type_parameter(media_type, "charset", charset, sizeof charset)
	           ? media_type_is_utf8(media_type)
	           : list_text_knows(charset);
}

/* A form that is being read. */
struct form {
	struct request *request;
	struct upload *upload;
	bool in_file;
	struct buf value; /* of the present part, unless it is the file */
	const char *name; /* of that part; NULL: none */
	enum error error;
	const char *fault;
};

static bool fail(struct form *form, enum error error, const char *fault)
{
	form->error = error;
	form->fault = fault;
	return false;
}

static const char cannot_store[] = "The file cannot be stored now: try again later.";

/* The file cannot be written or read: the disk is full, or there are too many open files. */
static bool fail_to_store(struct form *form)
{
	log_error("cannot store a file that is uploaded: %s", strerror(errno));
	return fail(form, ERROR_UNAVAILABLE, cannot_store);
}

static enum db_result refuse(struct request *request, enum error error, const char *fault)
{
	reply_refuse(request, error, "%s", fault);
	if (error == ERROR_UNAVAILABLE)
		reply_header(request, "Retry-After", RETRY_AFTER_SECONDS);
	return DB_REFUSED;
}

static bool end_part(struct form *form)
{
	struct upload *upload = form->upload;

	if (form->name == NULL)
		return true;
	if (upload->field_count == UPLOAD_FIELDS_MAX)
		return fail(form, ERROR_BAD_REQUEST, "The form has too many parts.");
	upload->fields[upload->field_count++] = (struct field_pair){
		form->name, arena_strndup(form->request->arena, buf_text(&form->value), form->value.len)
	};
	buf_reset(&form->value);
	form->name = NULL;
	return true;
}

static bool is_encoded(const struct multipart_part *part)
{
	static const char *const plain[] = { "", "7bit", "8bit", "binary" };

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (strcasecmp(part->transfer_encoding, plain[i]) == 0)
			return false;
	return true;
}

static bool begin_file(struct form *form, const struct multipart_part *part)
{
	struct upload *upload = form->upload;

	if (upload->file != NULL)
		return fail(form, ERROR_BAD_REQUEST, "The form has more than one file.");
	upload->name = arena_strdup(form->request->arena, part->filename != NULL ? part->filename : "");
	media_type_parameter(part->content_type, "charset", upload->charset, sizeof upload->charset);
	upload->file = tmpfile();
	return upload->file != NULL || fail_to_store(form);
}

static bool begin_part(void *context, const struct multipart_part *part)
{
	struct form *form = context;

	if (!end_part(form))
		return false;
	form->in_file = strcmp(part->name, "file") == 0;
	if (is_encoded(part) ||
	    !(form->in_file ? upload_is_known_charset(part->content_type) : media_type_is_utf8(part->content_type)))
		return fail(form, ERROR_UNSUPPORTED_MEDIA_TYPE,
		            "The parts of the form must be in UTF-8, the file in a charset that is known, and not encoded.");
	if (form->in_file)
		return begin_file(form, part);
	form->name = arena_strdup(form->request->arena, part->name);
	return true;
}

static bool take_data(void *context, const char *bytes, size_t len)
{
	struct form *form = context;

	if (form->in_file)
		return fwrite(bytes, 1, len, form->upload->file) == len || fail_to_store(form);
	if (form->value.len + len > VALUE_MAX || memchr(bytes, '\0', len) != NULL)
		return fail(form, ERROR_BAD_REQUEST, "A part of the form is too long, or is no text.");
	buf_add(&form->value, bytes, len);
	return true;
}

/* Written bytes may still be in memory. Only now is it known whether the disk has room for them. */
static bool finish_file(struct form *form)
{
	if (fflush(form->upload->file) != 0)
		return fail_to_store(form);
	rewind(form->upload->file);
	return true;
}

static enum db_result read_form(struct form *form, struct multipart *multipart)
{
	struct request *request = form->request;
	char bytes[REQUEST_CHUNK];
	size_t len;

	form->error = ERROR_BAD_REQUEST;
	form->fault = "The form is malformed.";
	while ((len = request_stream(request, bytes)) > 0)
		if (!multipart_push(multipart, bytes, len))
			return refuse(request, form->error, form->fault);
	if (!multipart_is_complete(multipart))
		return reply_refuse(request, ERROR_BAD_REQUEST, "The form ended early.");
	if (!end_part(form))
		return refuse(request, form->error, form->fault);
	if (form->upload->file == NULL)
		return reply_refuse_field(request, "file", "is required");
	return finish_file(form) ? DB_OK : refuse(request, form->error, form->fault);
}

enum db_result upload_open(struct request *request, struct upload *upload)
{
	struct form form = { .request = request, .upload = upload };
	struct multipart_taker taker = { begin_part, take_data, &form };
	struct multipart *multipart;
	enum db_result result;

	*upload = (struct upload){ .name = "" };
	if (!is_form(request->content_type)) {
		media_type_parameter(request->content_type, "charset", upload->charset, sizeof upload->charset);
		return DB_OK;
	}
	multipart = multipart_new(request->content_type, &taker);
	if (multipart == NULL)
		return reply_refuse(request, ERROR_BAD_REQUEST, "The media type has no boundary.");
	result = read_form(&form, multipart);
	multipart_free(multipart);
	buf_free(&form.value);
	return result;
}

void upload_close(struct upload *upload)
{
	if (upload->file != NULL)
		fclose(upload->file);
}

enum db_result upload_read(struct request *request, struct upload *upload, char bytes[REQUEST_CHUNK], size_t *len)
{
	if (upload->file != NULL) {
		*len = fread(bytes, 1, REQUEST_CHUNK, upload->file);
		if (*len > 0 || ferror(upload->file) == 0)
			return DB_OK;
		log_error("cannot read a file that was uploaded: %s", strerror(errno));
		return refuse(request, ERROR_UNAVAILABLE, "The file cannot be read any more: try again later.");
	}
	*len = request_stream(request, bytes);
	if (*len == 0 && request->streamed < request->content_length)
		return reply_refuse(request, ERROR_BAD_REQUEST, "The body ended early.");
	return DB_OK;
}

static enum db_result copy_body(struct request *request, struct upload *upload, FILE *to)
{
	char bytes[REQUEST_CHUNK];
	size_t len;

	for (;;) {
		DB_TRY(upload_read(request, upload, bytes, &len));
		if (len == 0 && fflush(to) == 0)
			return DB_OK;
		if (len == 0 || fwrite(bytes, 1, len, to) != len) {
			log_error("cannot store a file that is uploaded: %s", strerror(errno));
			return refuse(request, ERROR_UNAVAILABLE, cannot_store);
		}
	}
}

enum db_result upload_keep(struct request *request, struct upload *upload)
{
	FILE *file;
	enum db_result result;

	if (upload->file != NULL)
		return DB_OK;
	file = tmpfile();
	if (file == NULL) {
		log_error("cannot store a file that is uploaded: %s", strerror(errno));
		return refuse(request, ERROR_UNAVAILABLE, cannot_store);
	}
	result = copy_body(request, upload, file);
	upload->file = file;
	rewind(file);
	return result;
}

void upload_rewind(struct upload *upload)
{
	rewind(upload->file);
}
