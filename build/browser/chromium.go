package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startMax bounds how long Chromium may take to answer its first command; a cold disk on two busy cores needs seconds.
// endMax bounds how long it may take to write down what it has and to end.
const (
	startMax = 2 * time.Minute
	endMax   = 30 * time.Second
)

// Path finds Chromium: $CHROMIUM, else the usual names on the PATH.
func Path() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			return "", fmt.Errorf("CHROMIUM is set to %s, which cannot be run: %w", path, err)
		}
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("browser tests need Chromium: apt-get install chromium (or set CHROMIUM to its path)")
}

// flags make Chromium quiet, deterministic and local. Tabs of several people are all "in front", so nothing is throttled.
var flags = []string{
	"--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
	"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
	"--disable-extensions", "--disable-dev-shm-usage", "--disable-breakpad", "--disable-domain-reliability",
	"--disable-client-side-phishing-detection", "--disable-hang-monitor", "--disable-popup-blocking",
	"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
	"--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,CalculateNativeWinOcclusion,HttpsUpgrades",
	"--password-store=basic", "--use-mock-keychain", "--mute-audio", "--hide-scrollbars", "--force-color-profile=srgb",
	"--metrics-recording-only", "--lang=en-US", "--remote-debugging-pipe",
}

// chromium is one running browser process.
type chromium struct {
	*conn
	cmd    *exec.Cmd
	exited chan struct{}
	stderr *tail

	mu      sync.Mutex
	people  map[string]*Person // by browser context; "" is the default context
	targets map[string]*target // by session
}

// launch starts Chromium on a profile folder and waits until it answers.
func launch(profile string, extra ...string) (*chromium, error) {
	path, err := Path()
	if err != nil {
		return nil, err
	}
	args := append([]string{"--user-data-dir=" + profile}, flags...)
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses to run as root with its sandbox
	}
	args = append(append(args, extra...), "about:blank")
	fromUs, toThem, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("browser.launch: %w", err)
	}
	fromThem, toUs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("browser.launch: %w", err)
	}
	b := &chromium{
		exited: make(chan struct{}), stderr: &tail{},
		people: map[string]*Person{}, targets: map[string]*target{},
	}
	b.cmd = exec.Command(path, args...)
	b.cmd.ExtraFiles = []*os.File{fromUs, toUs} // descriptors 3 and 4; Chromium ends when they close
	b.cmd.Stderr = b.stderr
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = b.cmd.Start()
	fromUs.Close()
	toUs.Close()
	if err != nil {
		return nil, fmt.Errorf("browser.launch: %s: %w", path, err)
	}
	go func() {
		b.cmd.Wait() // how it ended shows in the connection
		close(b.exited)
	}()
	b.conn = newConn(fromThem, toThem, b.event)
	ctx, cancel := context.WithTimeout(context.Background(), startMax)
	defer cancel()
	if err := b.call(ctx, "", "Target.setAutoAttach", autoAttach, nil); err != nil {
		b.kill()
		return nil, fmt.Errorf("browser.launch: %s does not answer: %w\n%s", path, err, b.stderr)
	}
	return b, nil
}

// close asks Chromium to end, as a person closing the last window does, and waits.
func (b *chromium) close() {
	ctx, cancel := context.WithTimeout(context.Background(), endMax)
	defer cancel()
	b.call(ctx, "", "Browser.close", nil, nil) // killed below when it does not listen
	select {
	case <-b.exited:
	case <-ctx.Done():
	}
	b.kill()
}

// kill ends Chromium at once, as a power cut does for everything it has not written: its helpers too, which would otherwise hold
// files of the profile for a moment longer.
func (b *chromium) kill() {
	select {
	case <-b.exited:
	default:
		syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
		<-b.exited // all of them: each holds the end of the pipe that Wait reads
	}
	b.w.Close()
}

// event routes what Chromium reports. It runs on the reading goroutine.
func (b *chromium) event(session, method string, params json.RawMessage) {
	switch method {
	case "Target.attachedToTarget":
		b.attached(session, params)
		return
	case "Target.detachedFromTarget":
		var ev struct{ SessionID string }
		if json.Unmarshal(params, &ev) == nil {
			b.mu.Lock()
			t := b.targets[ev.SessionID]
			delete(b.targets, ev.SessionID)
			b.mu.Unlock()
			if t != nil && t.person != nil {
				t.person.forget(t)
			}
		}
		return
	}
	b.mu.Lock()
	t := b.targets[session]
	b.mu.Unlock()
	if t != nil && t.person != nil {
		t.person.event(t, method, params)
	}
}

// profilePrefix names temporary profile folders, with the process id of their owner, so that a later run can sweep
// what a killed test process left behind.
const profilePrefix = "holdfast-chromium-"

func newProfile() (string, error) {
	sweep()
	return os.MkdirTemp("", profilePrefix+strconv.Itoa(os.Getpid())+"-")
}

func sweep() {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), profilePrefix+"*"))
	for _, dir := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), profilePrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
}

// removeProfile retries: Chromium's helpers may write for a moment after the main process is gone.
func removeProfile(dir string) {
	for range 40 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// tail keeps the end of what Chromium prints, for the message when it does not start.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailMax = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if over := t.buf.Len() - tailMax; over > 0 {
		t.buf.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.buf.String())
}
