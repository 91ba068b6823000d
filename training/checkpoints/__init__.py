"""Keep the finished stages of a training, so that it can resume after a kill."""
