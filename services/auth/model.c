/* An account as people see it. */
#include "auth.h"

void
auth_show_account(const auth_account *row, Auth__V1__Account *out)
{
	auth__v1__account__init(out);
	out->has_id = out->has_version = out->has_email_verified = true;
	out->id = row->account_id;
	out->version = row->version;
	out->email = row->email;
	out->email_verified = row->email_verified;
	out->display_name = row->display_name;
	out->locale = row->locale;
	out->created_at = row->created_at;
	out->updated_at = row->updated_at;
}
