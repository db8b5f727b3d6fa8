// Command peer is the grpc-go side of the interop suite: a server with switches for what a server
// really does wrong, and a client that storms it. The benches time calls (measure) and hold idle
// connections (idle) with it.
//
// All but measure read commands from standard input, one a line, and answer each with one line of
// JSON on standard output; the first line says where they listen. They end with their standard input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// answer is one line of output. Error is empty when the command took effect.
type answer map[string]any

func main() {
	if len(os.Args) < 2 {
		fail("usage: peer serve|call|measure|idle [flags]")
	}
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2:])
	case "call":
		call(os.Args[2:])
	case "measure":
		measure(os.Args[2:])
	case "idle":
		idle(os.Args[2:])
	default:
		fail("unknown subcommand " + os.Args[1])
	}
}

// obey hands each line of standard input to perform, and says what came of it.
func obey(perform func(verb string, arguments []string) (answer, error)) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		result, err := perform(words[0], words[1:])
		if result == nil {
			result = answer{}
		}
		if err != nil {
			result["error"] = err.Error()
		}
		say(result)
	}
}

func say(line answer) {
	text, err := json.Marshal(line)
	if err != nil {
		fail(err.Error())
	}
	fmt.Println(string(text))
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, "peer:", text)
	os.Exit(1)
}
