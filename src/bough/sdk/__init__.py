"""Branch's SDK wire protocol (docs/sdk.md): what apps and pages with Branch's own SDKs send and are told."""
