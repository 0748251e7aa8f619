select trl_erase_await() as done
