package devserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/durasync/durasync/workflows"
)

// retention is how long closed runs stay readable.
const retention = 30 * 24 * time.Hour

// openStore prepares the database: schema and namespaces. A file that exists keeps what it holds.
func openStore(file string, namespaces []string) (*config.SQL, error) {
	cfg := &config.SQL{PluginName: sqliteplugin.PluginName}
	if file == "" {
		// The plugin shares connections by name and sets up the schema itself. A name of its own for each server keeps two
		// servers in one process apart.
		cfg.DatabaseName = primitives.NewUUID().String()
		cfg.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
	} else {
		// The plugin hands what SQLite does not know as a URI parameter to the connection as a pragma. In WAL mode, NORMAL
		// syncs at checkpoints only: a crash of the process loses nothing, a loss of power at most the last transactions.
		// EXCLUSIVE keeps a second process out, whose server would fight this one over every workflow; all of this server
		// shares one connection.
		cfg.DatabaseName = uriPath(file)
		cfg.ConnectAttributes = map[string]string{
			"mode":         "rwc",
			"journal_mode": "WAL",
			"locking_mode": "EXCLUSIVE",
			"synchronous":  "NORMAL",
		}
		if err := createSchema(file, cfg); err != nil {
			return nil, err
		}
	}

	nsConfigs := make([]*sqlite.NamespaceConfig, 0, len(namespaces))
	for _, name := range namespaces {
		ns, err := sqlite.NewNamespaceConfig(clusterName, name, false, workflows.SearchAttributes())
		if err != nil {
			return nil, fmt.Errorf("prepare namespace %q: %w", name, err)
		}
		ns.Detail.Config.Retention = durationpb.New(retention)
		nsConfigs = append(nsConfigs, ns)
	}
	if err := sqlite.CreateNamespaces(cfg, nsConfigs...); err != nil {
		return nil, storeError(file, err)
	}
	return cfg, nil
}

// createSchema fills a file that does not exist or is empty.
func createSchema(file string, cfg *config.SQL) error {
	info, err := os.Stat(file)
	if err == nil && info.Size() > 0 {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open the database: %w", err)
	}
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return fmt.Errorf("create the database %s: its directory must exist: %w", file, err)
	}
	if err := sqlite.SetupSchema(cfg); err != nil {
		return storeError(file, err)
	}
	return nil
}

func storeError(file string, err error) error {
	var fromSQLite *driver.Error
	switch {
	case file == "":
		return fmt.Errorf("prepare the database in memory: %w", err)
	case errors.As(err, &fromSQLite) && fromSQLite.Code()&0xff == codes.SQLITE_BUSY: // the upper bits say why it is busy
		return fmt.Errorf("the database %s is in use by another process: stop that one, or choose another file: %w", file, err)
	default:
		return fmt.Errorf("prepare the database %s: %w", file, err)
	}
}

// uriPath escapes what has a meaning in the SQLite URI that the plugin builds.
func uriPath(file string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file)
}
