"""Who may do what at each address. One that is not here fails the tests.

Each line: the address's name, who may GET it, who may POST to it. `v`, `c`, `a`, `o`: a viewer,
clerk, accountant, owner and who stands above; `all`: also who is not signed in; `user`: whoever is
signed in, also without a company; `staff`: an operator;
`root`: one with every right; `-`: not served.
"""

_TABLE = """
home                                    all all
metrics                                 all -
live                                    all -
ready                                   all -
verify_paper                            all all

account_login                           all all
account_logout                          all all
account_signup                          all all
account_inactive                        all -
account_reset_password                  all all
account_reset_password_done             all -
account_reset_password_from_key         all all
account_reset_password_from_key_done    all -
account_reauthenticate                  user user
account_change_password                 user user
account_set_password                    user user
mfa_authenticate                        all all
mfa_login_webauthn                      all all
mfa_index                               user -
mfa_reauthenticate                      user user
mfa_reauthenticate_webauthn             user user
mfa_activate_totp                       user user
mfa_deactivate_totp                     user user
mfa_view_recovery_codes                 user -
mfa_generate_recovery_codes             user user
mfa_download_recovery_codes             user -
mfa_list_webauthn                       user -
mfa_add_webauthn                        user user
mfa_remove_webauthn                     user user
mfa_edit_webauthn                       user user
usersessions_list                       user user

accounts:choose_company                 - v
accounts:company                        o o
accounts:logo                           v -
accounts:upload_logo                    - o
accounts:remove_logo                    - o
accounts:members                        o -
accounts:invite                         - o
accounts:change_role                    - o
accounts:remove_member                  - o
accounts:withdraw_invitation            - o
accounts:invitation                     all all

billing:dashboard                       v -
billing:dashboard_work                  v -
billing:balances                        v a
billing:balances_totals                 v a
billing:balances_export                 v a
billing:recompute                       - a
billing:recomputations                  v -
billing:recomputations_progress         v -
billing:recomputation                   v -
billing:recomputation_progress          v -
billing:recomputation_apply             - a
billing:recomputation_cancel            - a
billing:settings_selling                o o
billing:settings_numbers                o o
billing:settings_numbers_examples       - o
billing:settings_books                  a a
billing:invoice_list                    v -
billing:invoice_totals                  v -
billing:invoice_export                  v -
billing:invoice_bulk                    - c
billing:invoice_run                     c c
billing:invoice_create                  c c
billing:invoice_compute                 - c
billing:invoice_detail                  v -
billing:invoice_edit                    c c
billing:invoice_compute_for             - c
billing:invoice_issue                   - c
billing:invoice_void                    - a
billing:invoice_copy                    - c
billing:invoice_delete                  - c
billing:invoice_history                 v -
billing:invoice_settlements             v -
billing:payment_list                    v -
billing:payment_totals                  v -
billing:payment_export                  v -
billing:payment_bulk                    - v
billing:payment_run                     c c
billing:payment_create                  c c
billing:payment_detail                  v -
billing:payment_apply                   c c
billing:payment_void                    - a
billing:payment_history                 v -
billing:return_list                     v -
billing:return_totals                   v -
billing:return_export                   v -
billing:return_bulk                     - v
billing:return_run                      c c
billing:return_create                   c c
billing:return_detail                   v -
billing:return_apply                    c c
billing:return_applied                  v -
billing:return_delete                   - a
billing:return_history                  v -
billing:challan_list                    v -
billing:challan_export                  v -
billing:challan_bulk                    - v
billing:challan_run                     c c
billing:challan_create                  c c
billing:challan_detail                  v -
billing:challan_edit                    c c
billing:challan_deliver                 - c
billing:challan_cancel                  - a
billing:challan_history                 v -
billing:party_options                   v -
billing:party_list                      v -
billing:party_totals                    v -
billing:party_export                    v -
billing:party_create                    c c
billing:party_detail                    v -
billing:party_edit                      c c
billing:party_credit                    v -
billing:party_papers                    v -
billing:party_deactivate                - a
billing:party_activate                  - a
billing:party_history                   v -
billing:paper                           v v
billing:paper_preview                   v -
billing:statement_run                   c -
billing:statement_dry_run               c a
billing:statement_run_close             - a

documents:batches                       v -
documents:batches_progress              v -
documents:batch                         v -
documents:batch_progress                v -
documents:batch_pause                   - c
documents:batch_resume                  - c
documents:batch_cancel                  - c
documents:batch_retry                   - c
documents:batch_send                    - a
documents:batch_zip                     v -
documents:batch_merged                  v -
documents:batch_make_zip                - c
documents:batch_make_merged             - c
documents:batch_cancel_zip              - c
documents:batch_cancel_merged           - c
documents:deliveries                    v -
documents:deliveries_progress           v -
documents:deliveries_decide             - c
documents:delivery                      v -
documents:delivery_progress             v -
documents:send                          c c
documents:mail_settings                 o o
documents:mail_test                     - o
documents:mail_template                 o o
documents:mail_template_restore         - o
documents:notifications                 v -
documents:bell                          v -
documents:bell_newest                   v -
documents:notifications_read            - v
documents:notification_choices          v v
documents:notification_open             - v
documents:webhooks                      o -
documents:webhook_add                   o o
documents:webhook                       o -
documents:webhook_progress              o -
documents:webhook_change                o o
documents:webhook_on                    - o
documents:webhook_off                   - o
documents:webhook_delete                - o
documents:webhook_test                  - o
documents:webhook_secret                - o
documents:webhook_delivery              o -
documents:webhook_delivery_progress     o -
documents:webhook_replay                - o
documents:schedules                     a -
documents:schedule_add                  a a
documents:schedule                      a a
documents:schedule_delete               - a
documents:verify                        v v
documents:archive                       a a
documents:list                          v -
documents:list_progress                 v -
documents:bulk                          - c
documents:detail                        v -
documents:progress                      v -
documents:changes                       v -
documents:download                      v -

ops:page                                staff -
ops:live                                staff -

admin:index                             staff staff
admin:login                             all all
admin:logout                            - staff
admin:password_change                   staff staff
admin:password_change_done              staff -
admin:autocomplete                      root -
admin:jsi18n                            staff -
admin:view_on_site                      root -
admin:app_list                          root root
admin:auth_user_password_change         root root
"""

# Of each kind of row that operators see: what they may do beside looking at it.
ADMIN = {
    "account_emailaddress": "add change delete",
    "accounts_company": "add change delete",
    "accounts_invitation": "delete",
    "accounts_membership": "add change delete",
    "accounts_user": "add change delete",
    "auditlog_logentry": "",
    "auth_group": "add change delete",
    "billing_allocation": "",
    "billing_balance": "",
    "billing_balancedrift": "",
    "billing_challan": "",
    "billing_invoice": "",
    "billing_numbersequence": "",
    "billing_party": "add change",
    "billing_payment": "",
    "billing_recomputation": "",
    "billing_return": "",
    "django_celery_results_groupresult": "add change delete",
    "django_celery_results_taskresult": "add change delete",
    "documents_batch": "",
    "documents_batchjob": "",
    "documents_document": "",
    "mfa_authenticator": "add change delete",
    "usersessions_usersession": "add change delete",
}

RIGHTS: dict[str, tuple[str, str]] = {
    words[0]: (words[1], words[2]) for line in _TABLE.splitlines() if (words := line.split())
}
