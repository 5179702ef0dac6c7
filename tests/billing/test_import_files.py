"""What kind of file it is, told by its bytes, and where the report goes."""

import gzip
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Company
from billing.imports import UnreadableFile
from billing.models import Invoice
from tests.billing.sales import HEADER, line, rows, run_import, write


@pytest.mark.django_db
class TestTheKind:
    @pytest.mark.parametrize("name", ["sales.csv", "SALES.CSV.GZ", "sales"])
    def test_gzip_is_known_by_its_bytes(self, company, tmp_path, name):
        path = tmp_path / name
        path.write_bytes(gzip.compress(rows(line()).encode()))
        assert run_import(company, path).summary.lines_taken == 1

    @pytest.mark.parametrize("name", ["sales.csv.gz", "SALES.GZ"])
    def test_what_is_called_gz_and_is_none_is_said(self, company, tmp_path, name):
        path = tmp_path / name
        path.write_text(rows(line()))
        with pytest.raises(UnreadableFile, match="not gzipped, or damaged"):
            run_import(company, path)

    @pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz"])
    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
    def test_utf_16_is_said(self, company, tmp_path, name, encoding):
        data = ("" if encoding == "utf-16" else "\ufeff") + rows(line())
        path = write(tmp_path / name, data.encode(encoding))
        with pytest.raises(UnreadableFile, match="it is UTF-16: save it as UTF-8"):
            run_import(company, path)
        assert not Invoice.objects.exists()


@pytest.mark.django_db
class TestTheReport:
    def run(self, path, report, *arguments):
        command = ["import_sales", str(path), "--company=northgate", f"--report={report}"]
        call_command(*command, *arguments, stdout=StringIO())

    @pytest.mark.parametrize("as_link", [False, True])
    def test_is_never_the_file_itself(self, company, tmp_path, as_link):
        path = write(tmp_path / "sales.csv", rows(line()))
        report = tmp_path / "." / "report.csv" if as_link else tmp_path / "sales.csv"
        if as_link:
            report.symlink_to(path)
        with pytest.raises(CommandError, match=r"--report .*: this is the file that is imported"):
            self.run(path, report)
        assert path.read_text() == rows(line())

    def test_in_a_folder_that_is_not_there_is_said(self, tmp_path):
        path = write(tmp_path / "sales.csv", rows(line()))
        with pytest.raises(CommandError, match=r"--report .*: there is no folder"):
            self.run(path, tmp_path / "none" / "report.csv", "--create-company")
        assert not Company.objects.exists()

    def test_where_nothing_can_be_written_is_said(self, company, tmp_path):
        path = write(tmp_path / "sales.csv", rows(line()))
        with pytest.raises(CommandError, match=r"--report .*: Is a directory"):
            self.run(path, tmp_path)
        assert not Invoice.objects.exists()

    def test_has_the_files_own_fields_also_of_sound_lines(self, company, tmp_path):
        sound = [*line(date="2010-12-01 08:26", price=" 5.00 "), "Shelf 4"]
        content = rows(sound, [*line(quantity="x"), ""], header=HEADER + ",Place")
        refused = run_import(company, write(tmp_path / "sales.csv", content)).refused
        assert json.loads(refused[2][2]) == sound
