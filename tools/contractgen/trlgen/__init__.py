"""What protoc-gen-trl is made of: model, lint and one module an output."""
