"""What people type to get in, and about their company and its members."""

from accounts.forms.companies import CompanyForm, LogoForm
from accounts.forms.members import InviteForm, JoinForm, RoleForm
from accounts.forms.sessions import SignInForm

__all__ = ["CompanyForm", "InviteForm", "JoinForm", "LogoForm", "RoleForm", "SignInForm"]
