module github.com/weir-project/weir/bindings/go

go 1.24
