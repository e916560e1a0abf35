module github.com/tonistiigi/go-rosetta

go 1.25.0
