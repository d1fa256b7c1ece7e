#include "api/upload.h"

#include <string.h>
#include <strings.h>

#include "api/multipart.h"
#include "api/reply.h"
#include "base/buf.h"
#include "base/log.h"

#define VALUE_MAX 1024 /* bytes, of a part that is not the file */

static bool is_type(const char *media_type, const char *type)
{
	size_t len = strcspn(media_type, "; \t");

	return len == strlen(type) && strncasecmp(media_type, type, len) == 0;
}

static bool is_form(const char *media_type)
{
	return is_type(media_type, "multipart/form-data");
}

bool upload_is_known_type(const char *media_type)
{
	return is_type(media_type, "text/csv") || is_form(media_type);
}

/* A form on its way in. */
struct form {
	struct request *request;
	struct upload *upload;
	bool in_file;
	struct buf value; /* of the part that is being read, unless it is the file */
	const char *name; /* of that part; NULL: none */
	const char *fault;
};

static bool fail(struct form *form, const char *fault)
{
	form->fault = fault;
	return false;
}

static bool end_part(struct form *form)
{
	struct upload *upload = form->upload;

	if (form->name == NULL)
		return true;
	if (upload->field_count == UPLOAD_FIELDS_MAX)
		return fail(form, "The form has too many parts.");
	upload->fields[upload->field_count++] = (struct field_pair){
		form->name, arena_strndup(form->request->arena, buf_text(&form->value), form->value.len),
	};
	buf_reset(&form->value);
	form->name = NULL;
	return true;
}

static bool begin_part(void *context, const char *name, const char *filename)
{
	struct form *form = context;
	struct upload *upload = form->upload;

	if (!end_part(form))
		return false;
	form->in_file = strcmp(name, "file") == 0;
	if (!form->in_file) {
		form->name = arena_strdup(form->request->arena, name);
		return true;
	}
	if (upload->file != NULL)
		return fail(form, "The form has more than one file.");
	upload->name = arena_strdup(form->request->arena, filename != NULL ? filename : "");
	upload->file = tmpfile();
	if (upload->file == NULL)
		fatal("cannot make a temporary file");
	return true;
}

static bool take_data(void *context, const char *bytes, size_t len)
{
	struct form *form = context;

	if (form->in_file)
		return fwrite(bytes, 1, len, form->upload->file) == len ||
		       fail(form, "The file cannot be stored: try again later.");
	if (form->value.len + len > VALUE_MAX || memchr(bytes, '\0', len) != NULL)
		return fail(form, "A part of the form is too long, or is no text.");
	buf_add(&form->value, bytes, len);
	return true;
}

static enum db_result read_form(struct form *form, struct multipart *multipart)
{
	struct request *request = form->request;
	char bytes[REQUEST_CHUNK];
	size_t len;

	while ((len = request_stream(request, bytes)) > 0)
		if (!multipart_push(multipart, bytes, len))
			return reply_refuse(request, ERROR_BAD_REQUEST, "%s",
			                    form->fault != NULL ? form->fault : "The form is malformed.");
	if (!multipart_is_complete(multipart))
		return reply_refuse(request, ERROR_BAD_REQUEST, "The form ended early.");
	if (!end_part(form))
		return reply_refuse(request, ERROR_BAD_REQUEST, "%s", form->fault);
	if (form->upload->file == NULL)
		return reply_refuse_field(request, "file", "is required");
	rewind(form->upload->file);
	return DB_OK;
}

enum db_result upload_open(struct request *request, struct upload *upload)
{
	struct form form = { .request = request, .upload = upload };
	struct multipart_taker taker = { begin_part, take_data, &form };
	struct multipart *multipart;
	enum db_result result;

	*upload = (struct upload){ .name = "" };
	if (!is_form(request->content_type))
		return DB_OK;
	multipart = multipart_new(request->content_type, &taker);
	if (multipart == NULL)
		return reply_refuse(request, ERROR_BAD_REQUEST, "The media type names no boundary.");
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
		return DB_OK;
	}
	*len = request_stream(request, bytes);
	if (*len == 0 && request->streamed < request->content_length)
		return reply_refuse(request, ERROR_BAD_REQUEST, "The body ended early.");
	return DB_OK;
}
