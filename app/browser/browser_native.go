//go:build !js

package browser

// Outside a browser nothing is there: requests have no answer, fields are empty.

func Fetch(method, path, body string) (int, string, error)     { return 0, "", ErrNetwork }
func CreatePasskey(options string) (string, error)             { return "", ErrUnsupported }
func GetPasskey(options string, autofill bool) (string, error) { return "", ErrUnsupported }
func CancelPasskey()                                           {}
func HasAutofill() bool                                        { return false }
func Connect(tenant, person string, hear func(string)) Port    { return nowhere{} }
func Location() string                                         { return "/" }
func Origin() string                                           { return "" }
func Go(path string, replace bool)                             {}
func Back()                                                    {}
func Leave(address string)                                     {}
func Reload()                                                  {}
func Title(t string)                                           {}
func Focus(id string) bool                                     { return false }
func FocusFirst(selector string) bool                          { return false }
func Select(id string)                                         {}
func Focused() string                                          { return "" }
func Typing() bool                                             { return false }
func Value(id string) string                                   { return "" }
func SetValue(id, v string)                                    {}
func ForceValue(id, v string)                                  {}
func RectOf(id string) Rect                                    { return Rect{} }
func Size() (w, h int)                                         { return 1440, 900 }
func ScrollTop(id string) (top, seen int)                      { return 0, 800 }
func DrawRows(zone string, h, total int, text string) bool     { return true }
func AfterFrame(f func())                                      {}
func SetScrollTop(id string, top int)                          {}
func ScrollIntoView(id string)                                 {}
func ShowModal(id string)                                      {}
func Copy(text string) bool                                    { return false }
func File(dom string, max int) ([]byte, bool)                  { return nil, false }
func Load(key string) string                                   { return "" }
func Store(key, value string)                                  {}
func Theme() string                                            { return "system" }
func SetTheme(to string)                                       {}
func Installable() bool                                        { return false }
func Install()                                                 {}
func Updatable() bool                                          { return false }
func Update()                                                  {}
func KeepApp()                                                 {}
func KeepData()                                                {}
func Version() string                                          { return "" }
func Hidden() bool                                             { return false }
func Mac() bool                                                { return false }

type nowhere struct{}

func (nowhere) Post(string) {}
func (nowhere) Close()      {}
