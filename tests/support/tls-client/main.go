// A client in Go, as Docker, Podman and containerd are: says how a handshake with 127.0.0.1 ends for a name.
//
//	go run main.go PORT CA-FILE NAME
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	bundle, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(bundle)
	line, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{RootCAs: trusted, ServerName: os.Args[3]})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer line.Close()
	fmt.Println("trusted")
}
