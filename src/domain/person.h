/* A person, identified by a telephone number. */
#ifndef DOMAIN_PERSON_H
#define DOMAIN_PERSON_H

#define PERSON_MARK 33

/* The mark that replaces a number where the number must not be stored, such as in the audit log. It is a MAC under
 * the operator's first key, so trying all numbers does not reveal the number. The same number has the same mark
 * until that key is replaced. */
void person_mark(const char *phone_number, char out[PERSON_MARK]);

#endif
