package postgres

import (
	"context"

	"github.com/durasync/durasync/plugin"
)

const (
	streamRows = "rows"
	objectRow  = "row"

	// maxRead and maxCreate are how many rows one call takes.
	maxRead   = 1000
	maxCreate = 500
)

// The fields of a row.
const (
	fieldID     = "id"
	fieldTime   = "time"
	fieldValues = "values"
)

// Describe implements [plugin.Connector].
func (c *Connector) Describe(context.Context, *plugin.DescribeRequest) (*plugin.DescribeResponse, error) {
	return &plugin.DescribeResponse{
		Name:    "postgres",
		Version: Version,
		Doc:     "PostgreSQL, version 11 or newer: reads the rows of a table or view, and inserts or updates those of a table.",
		Config:  attributes(),
		Streams: []plugin.Stream{rowStream()},
		Objects: []plugin.Object{rowObject()},
	}, nil
}

func attributes() []plugin.Attribute {
	return []plugin.Attribute{
		{Name: "table", Type: plugin.String, Required: true,
			Doc: "The table, with its schema before it, such as \"sales.meetings\". Names of tables and columns are taken as they are, in upper and " +
				"lower case, and without quotes around them."},
		{Name: "url", Type: plugin.String, Sensitive: true,
			Doc: "The server, the database, and the user with its password, in the form postgres://user:password@host:5432/database?sslmode=verify-full, " +
				"with the parameters of libpq. It takes the place of host, port, user, password, database, sslmode and sslrootcert."},
		{Name: "host", Type: plugin.String, Doc: "The server's name or address, or the directory of its Unix socket. Either it or url has to be set."},
		{Name: "port", Type: plugin.Int, Doc: "The server's port. If not set, 5432."},
		{Name: "user", Type: plugin.String, Doc: "The user. A source needs the privilege SELECT, a destination SELECT, INSERT and UPDATE."},
		{Name: "password", Type: plugin.String, Sensitive: true, Doc: "The user's password."},
		{Name: "database", Type: plugin.String, Doc: "The database. If not set, the one with the user's name."},
		{Name: "sslmode", Type: plugin.String, OneOf: sslModes,
			Doc: "How to use TLS, in the words of libpq: \"disable\" for never, \"allow\" and \"prefer\" for if it has to be or can be, " +
				"\"require\" for always, \"verify-ca\" for always and with a certificate that is trusted, \"verify-full\" for one that is " +
				"the host's, too. If it is set neither here nor in url, it is \"prefer\" for a server on this machine and \"verify-full\" for any other."},
		{Name: "sslrootcert", Type: plugin.String,
			Doc: "A file with the certificates, in PEM, of those who are trusted to vouch for the server. If not set, those whom the machine trusts."},
		{Name: "id", Type: plugin.String, Default: quoteJSON(defaultID),
			Doc: "The key column, of any type that can be ordered. A destination needs a unique index on it alone, as a primary key is."},
		{Name: "time", Type: plugin.String, Default: quoteJSON(defaultTime),
			Doc: "The column with the time of a source's rows, of type timestamptz, or of type timestamp or date, which are then in UTC. Jobs look " +
				"for rows by it, and take at most 8000 rows of the same time."},
		{Name: "on_conflict", Type: plugin.String, Default: quoteJSON(onConflictUpdate), OneOf: []string{onConflictUpdate, onConflictNothing},
			Doc: "What becomes of a destination's row whose key is in the table: \"update\" sets the columns that the job has values for, \"nothing\" " +
				"leaves the row as it is."},
	}
}

func rowStream() plugin.Stream {
	return plugin.Stream{
		Name:    streamRows,
		Record:  "row",
		MaxRead: maxRead,
		Doc: "The rows of a table or view, by their time; rows without a time are left out. A time of the last change, such as updated_at, lets jobs " +
			"take changed rows, too. An index on the time and the key makes listing fast: CREATE INDEX ON table (time, id). A transaction that is " +
			"open for longer than the job's overlap can commit rows that no run sees. In what Durasync itself keeps and shows, an id of other than " +
			"printable ASCII characters is escaped as in URLs; it can have 128 bytes then. Rows of 1 MiB or more are rejected: leave large columns " +
			"out with a view.",
		Fields: []plugin.Field{
			{Name: fieldID, Type: plugin.String, Doc: "The key, as a text."},
			{Name: fieldTime, Type: plugin.Time, Doc: "The time, in UTC."},
			{Name: fieldValues, Type: plugin.Any,
				Doc: "All columns, as row_to_json has them: row.values.name is the one called name. Numbers are exact, a timestamptz is in RFC 3339, " +
					"json, jsonb, arrays and composites are values with parts, bytea is Base64, and all others are texts. NULL is null."},
		},
	}
}

func rowObject() plugin.Object {
	return plugin.Object{
		Name:       objectRow,
		MaxCreate:  maxCreate,
		Idempotent: true,
		Doc: "A row of a table. If its key is in the table, on_conflict says what happens; a row that is as it should be is not touched, so that " +
			"triggers do not fire for it. A batch is one transaction. What the database refuses (a value of the wrong type, too long, or " +
			"missing, a constraint, a trigger's exception) is rejected with the column, as far as that is known, and the rest of the batch is written. " +
			"Nothing is ever deleted.",
		Attributes: []plugin.Attribute{
			{Name: fieldValues, Type: plugin.Any, Required: true,
				Doc: "An object with a member for each column to set, such as row.values or { title = call.title }. A column that is left out has its " +
					"default in a new row and stays as it is in an old one. If the key column is left out or null, it gets the id of the source's record; " +
					"where several streams go into one table, set it to what tells them apart. Values take the forms that a source has them in, and any text " +
					"that PostgreSQL reads as a value of the column's type; bytea has to be Base64, and null is NULL."},
		},
	}
}
