// render.go - renders a chart as Helm does: Go's text/template, sprig, include, and the
// objects that Helm gives. It has no lookup, no rand and no environment, so that a chart
// that wants them fails.
//
//	render CHART <VALUES     values and release as JSON; every document on stdout
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
)

var refused = []string{
	"env", "expandenv", "getHostByName", "now", "uuidv4",
	"randAlpha", "randAlphaNum", "randAscii", "randNumeric", "randBytes", "randInt",
	"genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey",
	"genSignedCert", "genSignedCertWithKey", "htpasswd", "bcrypt", "derivePassword", "shuffle",
}

func functions(all *template.Template) template.FuncMap {
	found := sprig.TxtFuncMap()
	for _, name := range refused {
		delete(found, name)
	}
	found["include"] = func(name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	found["required"] = func(why string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", why)
		}
		return value, nil
	}
	return found
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var data map[string]interface{}
	reader := json.NewDecoder(os.Stdin)
	reader.UseNumber()
	check(reader.Decode(&data))
	files, err := filepath.Glob(filepath.Join(os.Args[1], "templates", "*"))
	check(err)
	sort.Strings(files)
	all := template.New("chart").Option("missingkey=error")
	all.Funcs(functions(all))
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		_, err = all.New(filepath.Base(file)).Parse(string(text))
		check(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "_") {
			continue
		}
		check(all.ExecuteTemplate(os.Stdout, name, data))
		fmt.Println()
	}
}
