package schema

// Block describes a kind of block of the job language. The checks know the blocks and arguments by these descriptions, and
// documentation is generated from them.
type Block struct {
	Name string

	// Labels say what the labels after the name are, such as "TYPE" and "NAME".
	Labels []string

	// Doc says what the block is for, in sentences. It may have code in backquotes.
	Doc string

	// Required blocks must be there.
	Required bool

	// Repeatable blocks may be there more than once.
	Repeatable bool

	Arguments []Argument
	Blocks    []Block

	// Example is what can stand between the block's braces.
	Example string
}

// Argument describes an attribute of a block.
type Argument struct {
	Name string

	// Type says for people what the value is.
	Type     string
	Required bool

	// Default is the value of an argument that is not set, as it would be written; empty if there is none.
	Default string

	Doc string

	// Example is the argument as it stands in a block, with others beside it where it needs them.
	Example string
}

// Language returns the blocks that a file can have. Callers must not change it.
func Language() []Block { return language }

// The types of arguments, for people.
const (
	typeText       = "string"
	typeTexts      = "list of strings"
	typeTextMap    = "map of strings"
	typeFlag       = "bool"
	typeNumber     = "number"
	typeDuration   = "duration"
	typeReference  = "reference"
	typeExpression = "expression"
)

var language = []Block{
	{
		Name: "connection", Labels: []string{"TYPE", "NAME"}, Repeatable: true,
		Doc: "A system and the credentials to reach it with. `TYPE` is a connector, `NAME` is yours; jobs refer to the connection as " +
			"`connection.TYPE.NAME`. The other arguments are those of the connector: see [connectors](connectors/). Here and in " +
			"`notifier` blocks, and nowhere else, `env(\"NAME\")` reads an environment variable and `file(\"PATH\")` a file. They are " +
			"read by the worker, where the job runs; a secret is never shown, stored or logged.",
		Arguments: []Argument{descriptionArgument("Acme's Gong")},
		Example: `access_key        = env("GONG_ACCESS_KEY")
access_key_secret = env("GONG_ACCESS_KEY_SECRET")`,
	},
	{
		Name: "notifier", Labels: []string{"TYPE", "NAME"}, Repeatable: true,
		Doc: "Somebody who can be told about runs. `TYPE` is one of the types below, `NAME` is yours; `notify` blocks refer to the notifier " +
			"as `notifier.TYPE.NAME`. `env()` and `file()` work as in `connection` blocks.",
		Arguments: []Argument{descriptionArgument("The operations channel")},
		Example:   `url = env("SLACK_WEBHOOK_URL")`,
	},
	{
		Name: "job", Labels: []string{"NAME"}, Repeatable: true,
		Doc: "What is read, what becomes of it, and when. Only `source` and `destination` are required.",
		Arguments: []Argument{
			descriptionArgument("Gong meetings become Totango touchpoints"),
		},
		Blocks: []Block{sourceBlock, destinationBlock, mapBlock, resolveBlock, settingsBlock, scheduleBlock, notifyBlock},
		Example: `source {
  connection = connection.gong.acme
  stream     = "calls"
}

destination {
  connection = connection.totango.success
  object     = "touchpoint"
}`,
	},
}

func descriptionArgument(example string) Argument {
	return Argument{Name: "description", Type: typeText, Doc: "A sentence for people.", Example: `description = "` + example + `"`}
}

var sourceBlock = Block{
	Name: "source", Required: true,
	Doc: "What the job reads. Every run lists the records from the watermark, which is where the last complete run ended, less the " +
		"overlap, up to now, and passes over those that are known.",
	Arguments: []Argument{
		{Name: "connection", Type: typeReference, Required: true, Doc: "The connection to read from, without quotes.",
			Example: `connection = connection.gong.acme`},
		{Name: "stream", Type: typeText, Required: true, Doc: "The kind of record: one of the connector's streams.",
			Example: `stream = "calls"`},
		{Name: "where", Type: typeExpression,
			Doc:     "A condition: records for which it is false are passed over. All records if not set.",
			Example: `where = call.scope == "External" && call.duration >= 120`},
		{Name: "initial", Type: typeDuration, Default: `"7d"`, Doc: "How far back the first run looks.", Example: `initial = "30d"`},
		{Name: "overlap", Type: typeDuration, Default: `"7d"`,
			Doc: "How far behind the watermark later runs look again, for records that the source shows late. At least `grace` and an " +
				"hour.",
			Example: `overlap = "14d"`},
		{Name: "grace", Type: typeDuration, Default: `"1d"`,
			Doc: "How long to wait for a record that the source still works on, such as a meeting without its brief, from the record's " +
				"time. After that it is taken as it is.",
			Example: `grace = "12h"`},
		{Name: "retry_rejected", Type: typeDuration, Default: `"30d"`,
			Doc: "How long rejected and deferred records are looked at again by each run, from the record's time: somebody may have " +
				"become known in the meantime.",
			Example: `retry_rejected = "60d"`},
		{Name: "wait", Type: typeDuration, Default: `"1h"`,
			Doc: "How long a run waits for another run of the job before it ends as skipped.", Example: `wait = "30m"`},
	},
	Example: `connection = connection.gong.acme
stream     = "calls"
initial    = "30d"
where      = call.scope == "External"`,
}

var destinationBlock = Block{
	Name: "destination", Required: true,
	Doc: "What the job writes.",
	Arguments: []Argument{
		{Name: "connection", Type: typeReference, Required: true, Doc: "The connection to write to, without quotes.",
			Example: `connection = connection.totango.success`},
		{Name: "object", Type: typeText, Required: true, Doc: "What each record becomes: one of the connector's objects.",
			Example: `object = "touchpoint"`},
	},
	Example: `connection = connection.totango.success
object     = "touchpoint"`,
}

var mapBlock = Block{
	Name: "map",
	Doc: "Which value each attribute of the object gets: `ATTRIBUTE = EXPRESSION`. The attributes are those of the connector's object; " +
		"the record is a variable, such as `call`. An attribute that is not set here takes the field of the source that means the " +
		"same, or else its default; `durasync show JOB` prints what that comes to. A value that is null leaves an attribute out.",
	Arguments: []Argument{
		{Name: "override", Type: typeFlag, Default: "false",
			Doc: "Whether the block may set attributes that are locked, because their value is part of what the object means.",
			Example: `override = true
subject  = "[Gong] ${call.title}"`},
	},
	Example: `flow    = "adoption"
tags    = call.duration > 3600 ? ["Workshop"] : []
content = templatefile("notes.tmpl", { call = call })`,
}

var resolveBlock = Block{
	Name: "resolve",
	Doc: "Whom a record belongs to, such as the account of a touchpoint. It is found from the people who took part: each external " +
		"address is looked up in the destination. A record whose people nobody knows is rejected, and looked at again by later runs.",
	Arguments: []Argument{
		{Name: "on_ambiguous", Type: typeText, Default: `"most_participants"`,
			Doc: "Which candidate is taken if the people belong to several: `most_participants`, the one that most of them belong to, and " +
				"among equals the one with more key contacts, then more contacts; `contact_first`, the one with the most key contacts, " +
				"then contacts, then participants; `host_team`, the one that the meeting's host looks after, and if that is none or " +
				"several, as `most_participants`; `first`, the first by name; `skip`, none: the record is rejected.",
			Example: `on_ambiguous = "contact_first"`},
		{Name: "internal_domains", Type: typeTexts, Default: "[]",
			Doc: "Domains of e-mail addresses whose people are your own and decide nothing, besides those whom the source or the " +
				"destination says to be.",
			Example: `internal_domains = ["acme.com", "acme.io"]`},
		{Name: "aliases", Type: typeTextMap, Default: "{}",
			Doc: "Addresses under which the destination does not know a person, each with the address under which it does. Case does not " +
				"matter.",
			Example: `aliases = {
  "pat@old.example" = "pat@new.example"
}`},
		{Name: "domain_fallback", Type: typeFlag, Default: "false",
			Doc: "Whether a record whose people nobody knows belongs to whom others of their domain belong to. Domains of free mail never " +
				"count.",
			Example: `domain_fallback = true`},
	},
	Example: `on_ambiguous     = "most_participants"
internal_domains = ["acme.com"]`,
}

var settingsBlock = Block{
	Name: "settings",
	Doc:  "What else the job may do.",
	Arguments: []Argument{
		{Name: "allow_create", Type: typeFlag, Default: "true",
			Doc: "Whether objects are created. A job only ever creates and never changes what exists, so this is always true; it is there to " +
				"say so.",
			Example: `allow_create = true`},
	},
	Example: `allow_create = true`,
}

var scheduleBlock = Block{
	Name: "schedule",
	Doc: "When the job runs. One of `every`, `hourly`, `daily`, `workdays`, `weekly`, `monthly`, `once` and `cron` says so; without any, it " +
		"is daily at 23:00. `durasync plan` shows the next times. Where clocks change, there is no run at a time that does not exist on " +
		"that day, and there can be two at one that exists twice; neither matters to what is synced, because a run starts where the " +
		"last one ended. A run that is due while another one is running follows it. Runs that were missed while Temporal was away are caught " +
		"up once.",
	Arguments: []Argument{
		{Name: "every", Type: typeDuration,
			Doc:     "An interval of at least a minute, counted from midnight of 1 January 1970 in UTC: `15m` is at :00, :15, :30 and :45.",
			Example: `every = "15m"`},
		{Name: "hourly", Type: typeNumber, Doc: "The minute of every hour, 0 to 59.", Example: `hourly = 15`},
		{Name: "daily", Type: typeText, Default: `"23:00"`, Doc: "A time of day, on every day.", Example: `daily = "06:30"`},
		{Name: "workdays", Type: typeText, Doc: "A time of day, from Monday to Friday.", Example: `workdays = "18:00"`},
		{Name: "weekly", Type: typeText, Doc: "Days of the week, separated by commas, and a time of day.",
			Example: `weekly = "monday,thursday 09:00"`},
		{Name: "monthly", Type: typeText,
			Doc:     "A day of the month, 1 to 28, and a time of day. Later days do not exist in every month, and Temporal knows no last day.",
			Example: `monthly = "1 06:30"`},
		{Name: "once", Type: typeText,
			Doc:     "A date and a time of day, for a single run. Nothing happens if it is over when the job is applied.",
			Example: `once = "2030-12-01 09:00"`},
		{Name: "cron", Type: typeText,
			Doc: "A cron expression of five fields: minute, hour, day of the month, month, day of the week. If both days are given, both " +
				"must match.",
			Example: `cron = "*/20 6-18 * * mon-fri"`},
		{Name: "timezone", Type: typeText, Default: `"UTC"`,
			Doc: "The time zone of all these times, by its IANA name.", Example: `timezone = "America/New_York"`},
		{Name: "jitter", Type: typeDuration, Default: `"0s"`,
			Doc: "Delays each run by a random time up to this, so that jobs do not all start in the same moment. Less than the time " +
				"between two runs, and at most a day.",
			Example: `jitter = "5m"`},
		{Name: "sync_on_apply", Type: typeFlag, Default: "false",
			Doc: "Whether the job also runs when it is applied and that changes something.", Example: `sync_on_apply = true`},
		{Name: "enabled", Type: typeFlag, Default: "true",
			Doc: "Whether the schedule is in force. `durasync sync JOB` works either way.", Example: `enabled = false`},
	},
	Example: `workdays = "18:00"
timezone = "Europe/Berlin"
jitter   = "5m"`,
}

var notifyBlock = Block{
	Name: "notify", Repeatable: true,
	Doc: "Who is told about runs. Each notifier gets one message about a run; one that cannot be reached never makes the run fail.",
	Arguments: []Argument{
		{Name: "to", Type: typeReference, Required: true, Doc: "The notifier, without quotes.", Example: `to = notifier.webhook.ops`},
		{Name: "on", Type: typeTexts, Default: `["failed"]`,
			Doc: "The runs to tell about: `failed`, those that failed, were skipped, or could not write some records; `rejected`, those that " +
				"rejected records which no run had rejected before; `empty`, those that found nothing at all in their window.",
			Example: `on = ["failed", "rejected"]`},
	},
	Example: `to = notifier.webhook.ops
on = ["failed", "rejected", "empty"]`,
}

// blockNames are the names of blocks.
func blockNames(blocks []Block) []string {
	return names(blocks, func(b *Block) string { return b.Name })
}

// argumentNames are the names of a block's arguments.
func argumentNames(b *Block) []string {
	return names(b.Arguments, func(a *Argument) string { return a.Name })
}

var (
	topBlockNames = blockNames(language)
	jobBlocks     = blockNamed(language, "job").Blocks
	jobBlockNames = blockNames(jobBlocks)
)

// blockNamed returns the block of a name, or nil.
func blockNamed(blocks []Block, name string) *Block {
	for i := range blocks {
		if blocks[i].Name == name {
			return &blocks[i]
		}
	}
	return nil
}
